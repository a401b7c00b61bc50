"""Bodies of allauth's headless API, read as strictly as ours: depth and lone surrogates are a 500 to its own reader."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from rest_framework.exceptions import ParseError

from ajansops.api.parsers import loads

PREFIX = "/_allauth/"


class HeadlessBodyMiddleware:
    """400 in allauth's words. Whatever type the body says it is: allauth reads it as JSON all the same."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(PREFIX) and request.body.strip():
            try:
                loads(request.body)
            except ParseError as error:
                told = [{"message": str(error.detail), "code": "invalid_json"}]
                return JsonResponse({"status": 400, "errors": told}, status=400)
        return self.get_response(request)
