"""In which language a caller is answered: theirs where they say one, else the workspace's."""

from django.conf import settings
from django.utils.translation import get_language_from_request
from rest_framework.request import Request

from accounts.models import Workspace
from ajansops.kit.actor import Actor
from ajansops.kit.language import Language, base_language


def language_for(request: Request, actor: Actor) -> Language:
    """By `Accept-Language`, or the language cookie; without either it is the workspace's locale."""
    said = "Accept-Language" in request.headers or settings.LANGUAGE_COOKIE_NAME in request.COOKIES
    http = request._request  # noqa: SLF001  # DRF's own way back
    if said and (known := get_language_from_request(http).partition("-")[0]) in set(Language):
        return Language(known)
    locale = Workspace.objects.values_list("settings", flat=True).get(pk=actor.workspace_id)["locale"]
    return base_language(locale)
