"""Product files as request bodies."""

from typing import Any

from django.core.exceptions import SuspiciousOperation
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, MultiPartParser

from ajansops.api.errors import PayloadTooLarge
from content.imports.table import MAX_BYTES

CSV = {"type": "string"}  # for the schema
FORM = {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}, "required": ["file"]}
FORM_OVERHEAD = 2**16  # bytes of boundaries and part headers


class CsvParser(BaseParser):
    """The raw bytes, up to the limit of a product file."""

    media_type = "text/csv"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        """`{"data": bytes, "filename": ""}`."""
        data = stream.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise PayloadTooLarge
        return {"data": data, "filename": ""}


class UploadParser(MultiPartParser):
    """A form with one part `file`, in the same shape."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Refused by its announced length before anything is read."""
        announced = (parser_context or {})["request"].META.get("CONTENT_LENGTH") or "0"
        if int(announced) > MAX_BYTES + FORM_OVERHEAD:
            raise PayloadTooLarge
        try:
            upload = super().parse(stream, media_type, parser_context).files.get("file")
        except SuspiciousOperation as error:  # too many parts, or a field as large as a file
            raise PayloadTooLarge from error
        if upload is None:
            raise ParseError("The form has no part named 'file'.")
        if upload.size > MAX_BYTES:
            raise PayloadTooLarge
        return {"data": upload.read(), "filename": upload.name}
