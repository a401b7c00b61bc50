"""Personas, audiences, special days and brands on the core surface."""

from rest_framework import serializers

from ajansops.api.filters import Search
from ajansops.api.serializers import Body, Row
from ajansops.api.views import CrudViewSet, crud
from ajansops.kit.permissions import Permission
from content.models import Audience, Brand, Persona, SpecialDay
from content.services.readers import AUDIENCES, BRANDS, PERSONAS, SPECIAL_DAYS

NAMED = ("id", "name")
TIMES = ("created_at", "updated_at")
BY_NAME = {"search": Search(("name",))}
MAX_WORDS = 200
MAX_SAMPLE = 5000


def _words(length: int) -> serializers.ListField:
    return serializers.ListField(child=serializers.CharField(max_length=length), max_length=MAX_WORDS, default=list)


class NamedBody(Body):
    """A name that is taken once in a workspace."""

    name = serializers.CharField(max_length=120)


class DescribedBody(NamedBody):
    """With a description in words."""

    description = serializers.CharField(max_length=2000, allow_blank=True, default="")


class SpecialDayBody(NamedBody):
    """An occasion; one without a date moves from year to year."""

    date = serializers.DateField(allow_null=True, default=None)


class BrandBody(NamedBody):
    """How a workspace speaks. Making one the default takes it from the one that was."""

    voice = serializers.CharField(max_length=2000, allow_blank=True, default="")
    banned_words = _words(120)
    required_words = _words(120)
    samples = _words(MAX_SAMPLE)
    is_default = serializers.BooleanField(default=False)


class PersonaSerializer(Row):
    """A kind of reader."""

    class Meta:
        model = Persona
        fields = (*NAMED, "description", *TIMES)


class AudienceSerializer(Row):
    """A group of buyers."""

    class Meta:
        model = Audience
        fields = (*NAMED, "description", *TIMES)


class SpecialDaySerializer(Row):
    """An occasion to buy."""

    class Meta:
        model = SpecialDay
        fields = (*NAMED, "date", *TIMES)


class BrandSerializer(Row):
    """A voice."""

    class Meta:
        model = Brand
        fields = (*NAMED, "voice", "banned_words", "required_words", "samples", "is_default", *TIMES)


class PersonaViewSet(CrudViewSet):
    """Kinds of readers."""

    model, output, input, noun, filters = Persona, PersonaSerializer, DescribedBody, "Persona", BY_NAME
    create_row, change_row, remove_row = PERSONAS.create, PERSONAS.update, PERSONAS.remove
    rights = crud(Permission.VIEW_PERSONA, Permission.ADD_PERSONA, Permission.CHANGE_PERSONA, Permission.DELETE_PERSONA)


class AudienceViewSet(CrudViewSet):
    """Groups of buyers."""

    model, output, input, noun, filters = Audience, AudienceSerializer, DescribedBody, "Audience", BY_NAME
    create_row, change_row, remove_row = AUDIENCES.create, AUDIENCES.update, AUDIENCES.remove
    rights = crud(
        Permission.VIEW_AUDIENCE, Permission.ADD_AUDIENCE, Permission.CHANGE_AUDIENCE, Permission.DELETE_AUDIENCE
    )


class SpecialDayViewSet(CrudViewSet):
    """Occasions."""

    model, output, input, noun, filters = SpecialDay, SpecialDaySerializer, SpecialDayBody, "Special day", BY_NAME
    create_row, change_row, remove_row = SPECIAL_DAYS.create, SPECIAL_DAYS.update, SPECIAL_DAYS.remove
    rights = crud(
        Permission.VIEW_SPECIAL_DAY,
        Permission.ADD_SPECIAL_DAY,
        Permission.CHANGE_SPECIAL_DAY,
        Permission.DELETE_SPECIAL_DAY,
    )


class BrandViewSet(CrudViewSet):
    """Voices."""

    model, output, input, noun, filters = Brand, BrandSerializer, BrandBody, "Brand", BY_NAME
    create_row, change_row, remove_row = BRANDS.create, BRANDS.update, BRANDS.remove
    rights = crud(Permission.VIEW_BRAND, Permission.ADD_BRAND, Permission.CHANGE_BRAND, Permission.DELETE_BRAND)
