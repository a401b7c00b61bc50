"""The two bases of every API view: declare rights, parse, make one domain call, reply. The surface does the wording."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import orjson
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.utils.translation import gettext
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSetMixin

from ajansops.api import idempotency, throttling
from ajansops.api.authentication import SAFE, WORKSPACE_HEADER
from ajansops.api.filters import Filter
from ajansops.api.lists import NO_WISHES, Include, ListQuery, columns_of, order_of, understand
from ajansops.api.pagination import CursorPage, Page, Place, place_of
from ajansops.api.straight import Statement, statement_for
from ajansops.api.surface import Reply, Surface
from ajansops.kit.actor import Actor
from ajansops.kit.errors import AccessDenied, Invalid, NotFound
from ajansops.kit.permissions import Permission

# What routes say: method to action, of a collection and of a row.
Actions = dict[str, Any]
READ: Actions = {"get": "list"}
READ_ROW: Actions = {"get": "retrieve"}
COLLECTION: Actions = READ | {"post": "create"}
PATCH_ROW: Actions = READ_ROW | {"patch": "partial_update", "delete": "destroy"}
ROW: Actions = READ_ROW | {"put": "update", "patch": "partial_update", "delete": "destroy"}

CRUD = ("list", "retrieve", "create", "update", "partial_update", "destroy")
METHODS = ("get", "post", "put", "patch", "delete")


class Public:
    """The marker of a method that anybody may call."""


class AnyCaller:
    """The marker of a method for whoever has a credential, whatever it allows."""


class SignedIn:
    """The marker of a method for people about themselves: a key stands for a workspace, not for a person."""


Right = Permission | type[Public] | type[AnyCaller] | type[SignedIn]
Rights = Mapping[str, Right]


class DeclaredPermission(BasePermission):
    """Role and scope as the view declares them for this action."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Raises `AccessDenied` naming the scope rather than answering False."""
        actor: Any = request.auth
        if actor is None:
            return False
        if isinstance(view.right, Permission):
            actor.require(view.right)
        if view.right is SignedIn and actor.key_id is not None:
            raise AccessDenied(gettext("Sign in for this: a key does not stand for a person."))
        return True


class SurfaceView(APIView):
    """A view that is mounted on a surface: `View.as_view(surface=CORE)`. `rights` maps each method to what it needs."""

    surface: Surface | None = None
    rights: ClassVar[Rights] = {}
    needs_workspace: ClassVar[bool] = True  # else a person who has chosen none may come in
    by_address: ClassVar[throttling.AddressLimit | None] = None  # where it is another than the surface's
    unlimited: ClassVar[bool] = False
    beside_plan: ClassVar[bool] = False  # no call of the plan's, so open when they are used up: to see and lift limits
    outside: ClassVar[bool] = False  # its work waits for the outside, so with an Idempotency-Key no transaction is open
    # What the call asks of the outside before its work, such as the addresses of a name: no transaction is open then,
    # with an Idempotency-Key neither. It may raise; it is not called for a key whose answer is known.
    ahead: Callable[[], None] | None = None
    # For the schema, by method or action: status to what is answered there, bodies, queries, and further errors.
    answers: ClassVar[Mapping[str, Mapping[int, Any]]] = {}
    bodies: ClassVar[Mapping[str, Any]] = {}
    queries: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    faults: ClassVar[Mapping[str, Sequence[int]]] = {}
    scheme: ClassVar[str] = ""  # the credential of its own that it takes
    bare: ClassVar[bool] = False  # answers without the surface's envelope
    permission_classes = [DeclaredPermission]

    def __init_subclass__(cls, *, abstract: bool = False, **kwargs: Any) -> None:
        """Deny by default: a handler without a declared right does not import."""
        super().__init_subclass__(**kwargs)
        if not abstract:
            missing = [name for name in cls.handled() if name not in cls.rights]
            if missing:
                raise TypeError(f"{cls.__qualname__} declares no right for: {', '.join(missing)}.")

    @classmethod
    def handled(cls) -> list[str]:
        """The methods or actions this class answers."""
        return [name for name in METHODS if hasattr(cls, name)]

    @property
    def right(self) -> Right | None:
        """What the current call needs; None for a method that does not exist, which DRF answers with 405."""
        method = (self.request.method or "").lower()
        return self.rights.get("get" if method == "head" else method)

    def workspace_named(self, request: Request) -> str | None:
        """Which workspace a signed-in person means; None for their current one. A key has its own."""
        return request.headers.get(WORKSPACE_HEADER)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Count the call, ask who calls and whether they may, and only then look at what they send."""
        if self.right is None:
            if not self.unlimited:
                throttling.count(request, self)
            raise MethodNotAllowed(request.method or "")
        if not self.unlimited:
            throttling.admit(request, self)
        super().initial(request, *args, **kwargs)
        self.examine(request, kwargs)

    def examine(self, request: Request, path: Mapping[str, Any]) -> None:
        """Refuse what is wrong with every call. No text of ours contains NUL, and PostgreSQL refuses it.

        A body is read also where nothing of it is needed: what is not JSON was not meant as it stands.
        """
        if any("\0" in str(value) for value in path.values()):
            raise NotFound
        wrong = [name for name, value in request.query_params.items() if "\0" in f"{name}{value}"]
        if wrong:
            raise Invalid(errors={name: [gettext("Must not contain NUL.")] for name in wrong})
        keyed = idempotency.guard(self, request)
        if request.method not in SAFE:
            _ = request._request.body  # noqa: SLF001  # kept: a repeated request is known by its bytes
            _ = request.data
        if self.ahead and not keyed:
            self.ahead()

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """The usual wishes are for JSON or anything, and need no negotiating."""
        if request.META.get("HTTP_ACCEPT", "*/*") in {"*/*", "application/json"}:
            renderer = self.renderer_classes[0]()
            return renderer, renderer.media_type
        return super().perform_content_negotiation(request, force)

    @property
    def actor(self) -> Actor:
        """Who calls. Only for views that are not public."""
        actor = self.request.auth
        assert isinstance(actor, Actor)
        return actor

    @property
    def person_id(self) -> int:
        """Who is signed in. Only where the right is `SignedIn`."""
        assert self.actor.user_id is not None
        return self.actor.user_id

    def get_permissions(self) -> list[Any]:
        """Public methods ask for nothing."""
        return [AllowAny()] if self.right is Public else list(super().get_permissions())

    def parsed(self, serializer: type[BaseSerializer[Any]], **kwargs: Any) -> dict[str, Any]:
        """The body validated; raises DRF's ValidationError."""
        form = serializer(data=self.request.data, context={"view": self, "request": self.request}, **kwargs)
        form.is_valid(raise_exception=True)
        return dict(form.validated_data)

    def reply(self, data: Any, *, message: str = "", status: int = 200) -> Response:
        """In the surface's envelope."""
        return self.reply_page(Reply(data, message), status=status)

    def reply_page(self, reply: Reply, *, status: int = 200) -> Response:
        """As `reply`, with meta and links already in it."""
        assert self.surface is not None
        return Response(self.surface.envelope(reply), status=status)

    def reply_deleted(self) -> Response:
        """204, or what the surface says instead."""
        assert self.surface is not None
        status = self.surface.deleted_status
        return Response(status=204) if status == 204 else self.reply(None, status=status)


class ResourceViewSet(ViewSetMixin, SurfaceView, abstract=True):
    """List, read and write one kind of row by declaration.

    `rows(actor)` is the visible queryset, `output` renders a row, `input` validates a body, and `create`, `change` and
    `remove` are services: `create(actor, **fields)`, `change(actor, row, **fields)`, `remove(actor, row)`.
    """

    model: ClassVar[Any]  # a model class whose manager has visible_to()
    output: ClassVar[type[BaseSerializer[Any]]]
    detail_output: ClassVar[type[BaseSerializer[Any]] | None] = None  # where one row alone says more
    filters: ClassVar[Mapping[str, Filter]] = {}  # beside dates and status
    includes: ClassVar[Mapping[str, Include]] = {}
    input: ClassVar[type[BaseSerializer[Any]] | None] = None
    change_input: ClassVar[type[BaseSerializer[Any]] | None] = None  # where a change takes other fields than `input`
    create_row: ClassVar[Callable[..., Any] | None] = None
    change_row: ClassVar[Callable[..., Any] | None] = None
    remove_row: ClassVar[Callable[..., Any] | None] = None
    noun: ClassVar[str] = "Resource"  # translated where it is told
    lookup_value_regex = r"[^/]+"

    @classmethod
    def handled(cls) -> list[str]:
        """The documented actions and the extra ones."""
        return [name for name in CRUD if hasattr(cls, name)] + [a.__name__ for a in cls.get_extra_actions()]

    @property
    def right(self) -> Right | None:
        """By action rather than by method."""
        return self.rights.get(getattr(self, "action", None) or "")

    def get_queryset(self) -> QuerySet[Any]:
        """No rows: only for the schema, which asks which model this is."""
        nothing: QuerySet[Any] = self.model.objects.none()
        return nothing

    def rows(self) -> QuerySet[Any]:
        """What the caller can see. Override it where that depends on the path, or on more than the workspace."""
        return self.rows_of(self.actor)

    def rows_of(self, actor: Actor) -> QuerySet[Any]:
        """What anybody in the actor's workspace can see, in a stable order. Override to add filters and joins."""
        rows: QuerySet[Any] = self.model.objects.visible_to(actor).order_by("-id")
        return rows

    @classmethod
    def same_for_all_callers(cls) -> bool:
        """Whether `rows` depends on nothing but the workspace."""
        return cls.rows is ResourceViewSet.rows

    def row(self) -> Any:
        """The row in the path, or `NotFound`, which another workspace's row is too."""
        try:
            row = self.rows().get(pk=self.kwargs["pk"])
        except (self.model.DoesNotExist, ValueError, OverflowError) as error:
            raise NotFound from error
        if str(row.pk) != self.kwargs["pk"]:  # int() also takes "+1", " 1", "1_0" and other scripts' digits
            raise NotFound
        return row

    def prepare(self, rows: Sequence[Any]) -> None:
        """Load what the rows of a page need from elsewhere, in one go."""

    @classmethod
    def prepares_nothing(cls) -> bool:
        """Whether the rows are enough."""
        return cls.prepare is ResourceViewSet.prepare

    def asked(self, *, listed: bool) -> ListQuery:
        """What the query asks for, where the surface has such queries."""
        assert self.surface is not None
        params = self.request.query_params
        return understand(self, self._output(), params, listed=listed) if self.surface.lists else NO_WISHES

    def show(self, row: Any) -> Any:
        """The row in the surface's casing."""
        return self.shown([row], NO_WISHES)[0]

    def shown(self, rows: Sequence[Any], asked: ListQuery) -> list[Any]:
        """The rows with the fields and includes that were asked for, by one serializer."""
        assert self.surface is not None
        serializer: Any = self._output()(context={"view": self})
        if asked.fields is not None:
            for name in serializer.fields.keys() - asked.fields:
                del serializer.fields[name]
        for name, include in asked.includes.items():
            serializer.fields[name] = include.output()(read_only=True)
        return [self.surface.encode(serializer.to_representation(row)) for row in rows]

    def _output(self) -> type[BaseSerializer[Any]]:
        return self.detail_output if self.detail_output and self.action == "retrieve" else self.output


class ListMixin:
    """GET of the collection."""

    def list(self: Any, request: Request, **_path: str) -> HttpResponseBase:
        """One page."""
        asked = self.asked(listed=True)
        by_cursor = self.surface.lists and "cursor" in request.query_params
        if not by_cursor and (statement := statement_for(self, asked)):
            return self._straight(statement, place_of(request))
        rows = asked.narrowed(self.rows(), self.actor)
        order = asked.sort or order_of(rows)
        rows = asked.read(rows, columns_of(self.model, self.output), order)
        page = CursorPage(rows, request, order) if by_cursor else Page(rows, request)
        self.prepare(page.rows)
        return self.reply_page(Reply(self.shown(page.rows, asked), meta=page.meta, links=page.links))

    def _straight(self: Any, statement: Statement, place: Place) -> HttpResponse:
        total, shown, rows = statement.run(place, self.actor.workspace_id)
        meta, links = place.meta(total, shown), place.links(self.request, total)
        body = orjson.dumps(self.surface.envelope(Reply(orjson.Fragment(rows), meta=meta, links=links)))
        return HttpResponse(body, content_type="application/json")


class RetrieveMixin:
    """GET of one row."""

    def retrieve(self: Any, request: Request, **_path: str) -> Response:
        """The row."""
        asked = self.asked(listed=False)
        return self.reply(self.shown([self.row()], asked)[0])


class CreateMixin:
    """POST to the collection."""

    def create(self: Any, request: Request, **_path: str) -> Response:
        """201 with the new row."""
        row = type(self).create_row(self.actor, **self.parsed(self.input))
        message = gettext("%(noun)s created successfully.") % {"noun": gettext(self.noun)}
        return self.reply(self.show(row), message=message, status=201)


class ChangeMixin:
    """PATCH and PUT of one row."""

    def partial_update(self: Any, request: Request, **_path: str) -> Response:
        """Only what is given changes."""
        return self._changed(partial=True)

    def update(self: Any, request: Request, **_path: str) -> Response:
        """What is not given falls back to its default."""
        return self._changed(partial=False)

    def _changed(self: Any, *, partial: bool) -> Response:
        row = self.row()
        changed = type(self).change_row(
            self.actor, row, **self.parsed(self.change_input or self.input, partial=partial)
        )
        message = gettext("%(noun)s updated successfully.") % {"noun": gettext(self.noun)}
        return self.reply(self.show(changed), message=message)


class DestroyMixin:
    """DELETE of one row."""

    def destroy(self: Any, request: Request, **_path: str) -> Response:
        """Gone, or gone for everybody who asks."""
        type(self).remove_row(self.actor, self.row())
        return self.reply_deleted()


class ReadViewSet(ListMixin, RetrieveMixin, ResourceViewSet, abstract=True):
    """Rows that are only read here."""


class CrudViewSet(ListMixin, RetrieveMixin, CreateMixin, ChangeMixin, DestroyMixin, ResourceViewSet, abstract=True):
    """Rows with the full set of actions."""


def crud(view: Permission, add: Permission, change: Permission, delete: Permission) -> dict[str, Permission]:
    """The usual rights of the usual actions."""
    return {
        "list": view,
        "retrieve": view,
        "create": add,
        "update": change,
        "partial_update": change,
        "destroy": delete,
    }


class UnknownPath(SurfaceView):
    """The end of every surface's table: 404 in its own words, to everybody and for every method."""

    authentication_classes = []
    schema = None

    @property
    def right(self) -> Right:
        """Whatever the method is called."""
        return Public

    @property
    def default_response_headers(self) -> dict[str, str]:
        """No Allow: nothing is."""
        return {}

    def examine(self, request: Request, path: Mapping[str, Any]) -> None:
        """Nothing: it is not there, whatever is sent."""

    def _missing(self, request: Request, **_path: str) -> Response:
        raise NotFound

    options = http_method_not_allowed = _missing  # type: ignore[assignment]
