"""Two tenants with rows of every model, all of them marked, and everybody who might knock at the door."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache, cached_property
from typing import Any

from django.apps import apps
from django.db import connection, transaction
from django.db.models import Model

from accounts.models import Activity, ApiKey, Invitation, Membership, User, Workspace
from accounts.roles import APPS, Role
from accounts.services import api_keys, members, people, workspaces
from ajansops.kit.clock import now
from billing.models import (
    Boost,
    Invoice,
    LedgerEntry,
    Notice,
    Period,
    Purchase,
    Reservation,
    Subscription,
    Usage,
    UsageNotice,
)
from content.models import (
    Audience,
    Brand,
    Persona,
    Post,
    PostStatus,
    Product,
    SpecialDay,
    Variant,
    VariantRevision,
    VariantStatus,
)
from jobs.models import Agent, ItemState, Job, JobItem, JobStatus, UnitDay
from leads.models import EmailTemplate, IdentityKind, Lead, LeadIdentity, Source
from sites.models import Audit, Chat, CrawledPage, Insight, Issue, Report, Site
from tests.conftest import Api
from tests.contract.matrix import ROLES
from webhooks.models import Delivery, Endpoint, EndpointNotice, Event, Outbox, first_secret

HOUR = timedelta(hours=1)
KINDS: dict[str, type[Model]] = {
    "activity": Activity,
    "agent": Agent,
    "api_key": ApiKey,
    "audience": Audience,
    "audit": Audit,
    "brand": Brand,
    "email_template": EmailTemplate,
    "insight": Insight,
    "invitation": Invitation,
    "issue": Issue,
    "job": Job,
    "job_item": JobItem,
    "lead": Lead,
    "member": Membership,
    "persona": Persona,
    "post": Post,
    "product": Product,
    "report": Report,
    "site": Site,
    "special_day": SpecialDay,
    "variant": Variant,
    "webhook": Endpoint,
    "delivery": Delivery,
}
# No text of their own that could carry a mark.
WORDLESS = {"EndpointNotice", "Membership", "Outbox", "Period", "Subscription", "Usage", "UsageNotice"}


@dataclass
class Tenant:
    """A workspace, its people by role, and the first of its rows by kind."""

    mark: str
    workspace: Workspace
    people: dict[str, User]
    ids: dict[str, Any] = field(default_factory=dict)
    keys: dict[tuple[Any, ...], tuple[ApiKey, str]] = field(default_factory=dict)
    sessions: dict[str, Api] = field(default_factory=dict)

    @property
    def pk(self) -> int:
        """Of the workspace."""
        return self.workspace.pk

    def rows(self, model: type[Model]) -> Any:
        """All its rows of a model."""
        path = "pk" if model is Workspace else f"{getattr(model, 'tenant_path', 'workspace')}_id"
        return model._base_manager.filter(**{path: self.pk})

    def key_row(self, *scopes: str, creator: str = "", state: str = "", test: bool = False) -> tuple[ApiKey, str]:
        """A key with the scopes, made by the person with that role or else by command; once."""
        wanted = (scopes, creator, state, test)
        if wanted not in self.keys:
            row, raw = api_keys.create_api_key(
                self.workspace,
                name=f"{self.mark} key",
                scopes=scopes,
                test=test,
                creator=self.people[creator] if creator else None,
            )
            ApiKey.objects.filter(pk=row.pk).update(**KEY_STATES[state])
            self.keys[wanted] = row, raw
        return self.keys[wanted]

    def key(self, *scopes: str, creator: str = "", state: str = "", test: bool = False) -> str:
        """As text."""
        return self.key_row(*scopes, creator=creator, state=state, test=test)[1]

    def session(self, role: str) -> Api:
        """Somebody with that role, signed in."""
        if role not in self.sessions:
            self.sessions[role] = signed_in(self.people[role])
        return self.sessions[role]

    @cached_property
    def token(self) -> Callable[[str], str]:
        """`token(key)` is a studio bearer, got as a client gets it."""

        @cache
        def login(key: str) -> str:
            answer = Api().post("/v1/auth/login", {"apiKey": key, "workspaceId": self.pk})
            return answer.json()["access_token"]

        return login


KEY_STATES: dict[str, dict[str, Any]] = {
    "": {},
    "in grace": {"grace_ends_at": now() + 24 * HOUR},
    "past grace": {"grace_ends_at": now() - HOUR},
    "expired": {"expires_at": now() - HOUR},
    "revoked": {"revoked_at": now() - HOUR},
}


@dataclass
class World:
    """`acme` is whose doors are tried; `other` must neither come in nor be seen."""

    acme: Tenant
    other: Tenant
    outsiders: dict[User, Api]  # of staff, a superuser among them, in no workspace; each with a session


def signed_in(user: User) -> Api:
    """A browser whose session is known, so that no call has to write one."""
    api = Api(user=user)
    api.get("/api/v1/workspaces")
    return api


def build() -> World:
    """Acme has two of everything, the other three: totals cannot be mistaken for each other."""
    acme, other = fill("qacmeq", 2), fill("zotherz", 3)
    staff = people.create_user(email="staff@example.net", password="staff-password", staff=True)
    superuser = people.create_user(email="super@example.net", password="super-password", staff=True)
    superuser.is_superuser = True
    superuser.save()
    outsiders = {user: signed_in(user) for user in (staff, superuser)}
    for tenant in (acme, other):
        for role in ROLES:
            tenant.session(role)
            tenant.key("*", creator=role)
        for state in KEY_STATES:
            tenant.key("*", state=state)
        tenant.key("sites:read")
    return World(acme, other, outsiders)


def fill(mark: str, copies: int) -> Tenant:
    """A workspace on the largest plan."""
    users = {role: _person(mark, role.lower()) for role in (*ROLES, "GONE", "ANOTHER")}
    workspace = workspaces.create_workspace(name=f"{mark} Ltd", slug=mark, plan="enterprise", owner=users["OWNER"])
    Subscription.objects.filter(workspace=workspace).update(customer=f"cus_{mark}")
    workspace.settings = workspace.settings | {"locale": "en-US"}
    for role in ("VIEWER", "EDITOR", "ADMIN"):
        members.add_member(workspace, users[role], Role(role))
    members.add_member(workspace, _person(mark, "spare"), Role.OWNER)  # so that an owner may leave
    member = members.add_member(workspace, users["ANOTHER"], Role.EDITOR)
    tenant = Tenant(mark, workspace, users)
    for number in range(copies):
        _rows(tenant, number)
    key, _ = api_keys.create_api_key(
        workspace, name=f"{mark} target", scopes=["api-keys:write"], creator=users["ADMIN"], test=True
    )
    controlled = {
        f"{name}_job": Job.objects.create(
            id=f"job_{mark}_{name}", workspace=workspace, kind=kind, status=status, total=1, started_at=now()
        ).pk
        for name, kind, status in (("running", "seo", JobStatus.PROCESSING), ("paused", "content", JobStatus.PAUSED))
    }
    first = {kind: tenant.rows(model).order_by("pk").first().pk for kind, model in KINDS.items()}
    Outbox.objects.create(workspace=workspace, secret=f"{mark} secret")
    tenant.ids = (
        first
        | controlled
        | {
            "workspace": workspace.pk,
            "member": member.pk,
            "api_key": key.pk,
            "user": users["OWNER"].pk,
            "subject": f"{mark} subject 0",
            "url": f"https://{mark}.example/0",
            "task": "purge_workspaces",
        }
    )
    return tenant


def _person(mark: str, name: str) -> User:
    return people.create_user(email=f"{name}@{mark}.example", password=f"{mark}-password", name=f"{mark} {name}")


def _rows(tenant: Tenant, number: int) -> None:
    """One row of each model, with the mark in every text."""
    mark, workspace = tenant.mark, tenant.workspace
    word, url, owner = f"{mark} {number}", f"https://{mark}.example/{number}", tenant.people["OWNER"]
    api_keys.create_api_key(workspace, name=word, scopes=["sites:read"], creator=owner)
    Invitation.objects.create(
        workspace=workspace,
        email=f"invited{number}@{mark}.example",
        name=word,
        role=Role.VIEWER,
        inviter=tenant.people["ADMIN"],
        expires_at=now() + 24 * HOUR,
        sent_at=now(),
    )
    site = Site.objects.create(
        workspace=workspace,
        name=word,
        domain=f"{mark}-{number}.example",
        tech_stack=word,
        apify_keywords=[word],
        lead_search_terms=[url],
    )
    job = Job.objects.create(
        id=f"job_{mark}_{number}",
        workspace=workspace,
        kind=("seo", "leads", "content")[number],
        status=JobStatus.COMPLETED,
        subject=f"{mark} subject {number}",
        configuration={"note": word},
        memory={"note": word},
        error={"message": word},
        total=1,
        done=1,
        user=owner,
        request_id=mark,
        started_at=now(),
        completed_at=now(),
    )
    JobItem.objects.create(
        job=job,
        key=word,
        payload={"note": word},
        state=ItemState.FAILED,
        result={"note": word},
        error={"message": word},
    )
    UnitDay.objects.create(workspace=workspace, meter=word[:32], day=now().date() - timedelta(days=1))
    report = Report.objects.create(
        workspace=workspace,
        site=site,
        url=url,
        subject=url,
        job_id=job.pk,
        source="api",
        seo=90,
        explanation={"seo": {mark: 10}},
    )
    Issue.objects.create(
        report=report, url=url, code=mark, severity="error", element=f"p.{mark}", details={"note": word}
    )
    CrawledPage.objects.create(job=job, url=url, depth=0, status=200, facts={"title": word}, error=mark)
    _content(tenant, word, url, job)
    Post.objects.create(
        workspace=workspace,
        site=site,
        title=word,
        slug=f"{mark}-{number}",
        body=f"# {word}",
        html=f"<h1>{word}</h1>",
        excerpt=word,
        seo_title=word,
        seo_description=word,
        canonical_url=url,
        tags=[mark],
        author=owner,
        status=PostStatus.SCHEDULED,  # from which every action leads somewhere else
        publish_at=now() + 1000 * HOUR,
    )
    _audits(tenant, word, site, job)
    lead = Lead.objects.create(
        workspace=workspace,
        site=site,
        company=word,
        contact=word,
        emails=[f"lead{number}@{mark}.example"],
        phones=["+3611234567"],
        website=url,
        address={"formatted": word},
        socials=[url],
        source=Source.WEBSITE,
        external_id=word,
        tags=[mark],
        owner=owner,
    )
    LeadIdentity.objects.create(
        workspace=workspace, lead=lead, kind=IdentityKind.DOMAIN, value=f"{mark}-{number}.example"
    )
    EmailTemplate.objects.create(workspace=workspace, name=word, subject=word, html=f"<p>{word}</p>")
    Agent.objects.create(
        workspace=workspace, name=word, instructions=word, tools=[f"{mark}_list"], schedule="0 9 1 1 *"
    )
    _webhooks(tenant, word)
    _billing(tenant, word, number)


def _billing(tenant: Tenant, word: str, number: int) -> None:
    """All of it long over, so that nothing is allowed, counted or sent differently for it."""
    workspace, mark, start = tenant.workspace, tenant.mark, now() - (number + 20) * 720 * HOUR
    Invoice.objects.create(
        workspace=workspace,
        stripe_id=f"in_{mark}_{number}",
        number=word,
        status="paid",
        currency="eur",
        amount_due=1,
        amount_paid=1,
        issued_at=start,
    )
    Purchase.objects.create(
        workspace=workspace, session_id=f"cs_{mark}_{number}", product="setup_pack", currency="eur", amount=1
    )
    Boost.objects.create(workspace=workspace, feature="sites", amount=1, starts_at=start, ends_at=start, note=word)
    Notice.objects.create(
        workspace=workspace, kind="win_back", source=word, email=f"owner@{mark}.example", next_at=None, sent_at=start
    )
    period = Period.objects.create(workspace=workspace, start=start, end=start + HOUR)
    usage = Usage.objects.create(period=period, feature="emails", used=1)
    reservation = Reservation.objects.create(
        workspace=workspace, feature="emails", source=f"client:{mark}-{number}", usage=usage, reserved=1, settled=1
    )
    LedgerEntry.objects.create(reservation=reservation, kind="reserve", part=mark, units=1, quantity=1)
    UsageNotice.objects.create(period=period, feature="emails", percent=100, used=1, limit=1, told_at=start)


def _webhooks(tenant: Tenant, word: str) -> None:
    workspace, mark = tenant.workspace, tenant.mark
    endpoint = Endpoint.objects.create(
        workspace=workspace,
        url=f"http://127.0.0.1:9/{mark}",
        events=["webhook.*"],
        secret=first_secret(),
        last_delivery_at=now(),
    )
    event = Event.objects.create(
        workspace=workspace, type=f"{mark}.told", body=word.encode(), request_id=mark, created_at=now()
    )
    Delivery.objects.create(
        workspace=workspace,
        event=event,
        endpoint=endpoint,
        lane=f"endpoint:{endpoint.pk}",
        status="retrying",
        attempts=1,
        response_status=500,
        response_body=word,
        error=mark,
        next_attempt_at=now() + 24 * HOUR,
    )
    EndpointNotice.objects.create(
        workspace=workspace, endpoint=endpoint, user=tenant.people["OWNER"], kind="given_up", next_at=now() + 24 * HOUR
    )


def _audits(tenant: Tenant, word: str, site: Site, job: Job) -> None:
    workspace, mark = tenant.workspace, tenant.mark
    audit = Audit.objects.create(
        workspace=workspace,
        site=site,
        job_id=job.pk,
        account=word,
        language="en",
        mode=mark,
        model=mark,
        executive_summary=word,
        account_health_score=80,
    )
    Insight.objects.create(
        workspace=workspace,
        audit=audit,
        entity_id=mark,
        entity_name=word,
        severity="high",
        title=word,
        body=word,
        metric=mark,
        value=1.5,
    )
    Chat.objects.create(workspace=workspace, user=tenant.people["OWNER"], mode=mark, model=mark, status="completed")


def _content(tenant: Tenant, word: str, url: str, job: Job) -> None:
    workspace, mark = tenant.workspace, tenant.mark
    persona, audience = (
        model.objects.create(workspace=workspace, name=word, description=word) for model in (Persona, Audience)
    )
    day = SpecialDay.objects.create(workspace=workspace, name=word)
    Brand.objects.create(workspace=workspace, name=word, voice=word, banned_words=[mark], samples=[word])
    product = Product.objects.create(
        workspace=workspace,
        sku=word,
        title=f"{word} pot",
        description=f"<p>{word}</p>",
        categories=[mark],
        pictures=[url],
        primary_picture=url,
        tags=[mark],
        suggested_tags=[f"{mark} new"],
        attributes=[["Vendor", mark]],
        external_handle=word,
    )
    variant = Variant.objects.create(
        workspace=workspace,
        product=product,
        content_type="title",
        persona=persona,
        audience=audience,
        special_day=day,
        language="en-US",
        body=word,
        status=VariantStatus.GENERATED,
        error=word,
        provider=mark,
        usage={"note": mark},
    )
    VariantRevision.objects.create(variant=variant, body=word, provider=mark, job_id=job.pk)


# --- what a call may leave behind -------------------------------------------------------------------------------------


@contextmanager
def undone() -> Iterator[None]:
    """Whatever happens inside never happened: rows, limits, mails that were to be sent on commit."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


MODELS = [model for model in apps.get_models() if model._meta.app_label in APPS]
PASSING = {"last_used_at", "last_login"}  # what a mere visit changes
WRITES = tuple(
    f'{verb} "{model._meta.db_table}"' for model in MODELS for verb in ("INSERT INTO", "UPDATE", "DELETE FROM")
)


WRITTEN = re.compile(r'(?:INSERT(?: OR IGNORE)? INTO|UPDATE|DELETE FROM) "(\w+)"')
BY_TABLE = {model._meta.db_table: model for model in MODELS}


@contextmanager
def unchanged() -> Iterator[None]:
    """Around a call that must leave every row of our models as it is: what was written to is as it is once undone.

    What the database itself deletes along hangs on a row that is gone too.
    """
    written: set[type[Model]] = set()

    def watch(execute: Any, sql: str, *rest: Any) -> Any:
        if (found := WRITTEN.match(sql)) and found[1] in BY_TABLE:
            written.add(BY_TABLE[found[1]])
        return execute(sql, *rest)

    with undone():
        with connection.execute_wrapper(watch):
            yield
        after = {model.__name__: _values(model) for model in written}
    assert after == {model.__name__: _values(model) for model in written}


def _values(model: type[Model]) -> list[Any]:
    names = [column.attname for column in model._meta.concrete_fields if column.attname not in PASSING]
    return list(model._base_manager.order_by("pk").values_list(*names))
