"""Who may call what: the page to read in a security review. Written from the design and the references, not the code.

Columns: method, address, what it needs, the least role, the status when all goes well, and the body that is sent.

    site:read …  a scope. A person needs the role; a key needs the scope, and its creator the role.
    ANY          whoever has a credential, whatever it allows.
    PERSON       somebody signed in, about themselves: a key does not stand for a person.
    SECRET       CRON_SECRET and nothing else.
    PUBLIC       everybody. NOTHING: nobody, it is not there.

The least role is one in the workspace that the call is about. ANYBODY is somebody who need not be in any workspace.
Default (design 1.3): VIEWER views; EDITOR adds, changes, generates and publishes; ADMIN deletes (posts: EDITOR, as
the app reference has it), and manages members, invitations,
keys and the log; OWNER deletes the workspace. Whoever is signed in may found one.

`{site}` stands for the id of such a row. Where a table says `page`, the status is what an anonymous visitor gets.
"""

from dataclasses import dataclass
from typing import Any

from tests.contract.routes import nameless

TABLE = """
core    GET     /api/v1/workspaces                           workspaces:read     ANYBODY  200
core    POST    /api/v1/workspaces                           workspaces:write    ANYBODY  201  workspace
core    GET     /api/v1/workspaces/{workspace}               workspaces:read     VIEWER   200
core    PATCH   /api/v1/workspaces/{workspace}               workspaces:write    ADMIN    200  name
core    DELETE  /api/v1/workspaces/{workspace}               workspaces:delete   OWNER    204

core    GET     /api/v1/api-keys                             api-keys:read       ADMIN    200
core    POST    /api/v1/api-keys                             api-keys:write      ADMIN    201  name
core    POST    /api/v1/api-keys/revoke-leaked               PUBLIC              -        202  leaked
core    GET     /api/v1/api-keys/{api_key}                   api-keys:read       ADMIN    200
core    PATCH   /api/v1/api-keys/{api_key}                   api-keys:write      ADMIN    200  name
core    DELETE  /api/v1/api-keys/{api_key}                   api-keys:delete     ADMIN    204
core    POST    /api/v1/api-keys/{api_key}/rotate            api-keys:write      ADMIN    200  empty

core    GET     /api/v1/members                              members:read        VIEWER   200
core    DELETE  /api/v1/members/me                           PERSON              VIEWER   204
core    GET     /api/v1/members/{member}                     members:read        VIEWER   200
core    PATCH   /api/v1/members/{member}                     members:write       ADMIN    200  role
core    DELETE  /api/v1/members/{member}                     members:delete      ADMIN    204

core    GET     /api/v1/invitations                          invitations:read    ADMIN    200
core    POST    /api/v1/invitations                          invitations:write   ADMIN    201  invitation
core    GET     /api/v1/invitations/{invitation}             invitations:read    ADMIN    200
core    DELETE  /api/v1/invitations/{invitation}             invitations:delete  ADMIN    204
core    POST    /api/v1/invitations/{invitation}/resend      invitations:write   ADMIN    200  empty

core    GET     /api/v1/activity                             activity:read       ADMIN    200
core    GET     /api/v1/activity/{activity}                  activity:read       ADMIN    200

core    GET     /api/v1/subscription                         billing:read        VIEWER   200

core    GET     /api/v1/jobs                                 jobs:read           VIEWER   200
core    GET     /api/v1/jobs/{job}                           jobs:read           VIEWER   200
core    GET     /api/v1/jobs/{job}/events                    jobs:read           VIEWER   200
core    GET     /api/v1/jobs/{job}/items                     jobs:read           VIEWER   200
core    POST    /api/v1/jobs/{running_job}/pause             jobs:write          EDITOR   200  empty
core    POST    /api/v1/jobs/{paused_job}/resume             jobs:write          EDITOR   200  empty
core    POST    /api/v1/jobs/{running_job}/cancel            jobs:write          EDITOR   200  empty

core    GET     /api/v1/webhooks                             webhooks:read       ADMIN    200
core    POST    /api/v1/webhooks                             webhooks:write      ADMIN    201  webhook
core    GET     /api/v1/webhooks/events                      webhooks:read       ADMIN    200
core    POST    /api/v1/webhooks/jobs/rotate-secret          webhooks:write      ADMIN    200  empty
core    GET     /api/v1/webhooks/{webhook}                   webhooks:read       ADMIN    200
core    PATCH   /api/v1/webhooks/{webhook}                   webhooks:write      ADMIN    200  webhook_events
core    DELETE  /api/v1/webhooks/{webhook}                   webhooks:delete     ADMIN    204
core    POST    /api/v1/webhooks/{webhook}/test              webhooks:write      ADMIN    200  empty
core    POST    /api/v1/webhooks/{webhook}/rotate-secret     webhooks:write      ADMIN    200  empty
core    POST    /api/v1/webhooks/{webhook}/replay            webhooks:write      ADMIN    202  window
core    GET     /api/v1/webhooks/{webhook}/deliveries        webhooks:read       ADMIN    200
core    POST    /api/v1/webhooks/{webhook}/deliveries/{delivery}/retry      webhooks:write  ADMIN  200  empty
core    POST    /api/v1/webhooks/{webhook}/deliveries/{delivery}/redeliver  webhooks:write  ADMIN  201  empty

core    GET     /api/v1/entitlements/check?feature=posts     entitlements:read   VIEWER   200
core    POST    /api/v1/entitlements/usage                   entitlements:write  EDITOR   200  usage
core    GET     /api/v1/entitlements/summary                 entitlements:read   VIEWER   200

core    GET     /api/v1/leads                                leads:read          VIEWER   200
core    GET     /api/v1/leads/scrape                         leads:read          VIEWER   200
core    POST    /api/v1/leads/scrape                         leads:write         EDITOR   202  lead_scrape
core    POST    /api/v1/leads                                leads:write         EDITOR   201  lead
core    GET     /api/v1/leads/{lead}                         leads:read          VIEWER   200
core    PUT     /api/v1/leads/{lead}                         leads:write         EDITOR   200  lead
core    PATCH   /api/v1/leads/{lead}                         leads:write         EDITOR   200  won
core    DELETE  /api/v1/leads/{lead}                         leads:delete        ADMIN    204

core    GET     /api/v1/email-templates                      email-templates:read   VIEWER 200
core    POST    /api/v1/email-templates                      email-templates:write  EDITOR 201 template
core    GET     /api/v1/email-templates/{email_template}     email-templates:read   VIEWER 200
core    PUT     /api/v1/email-templates/{email_template}     email-templates:write  EDITOR 200 template
core    PATCH   /api/v1/email-templates/{email_template}     email-templates:write  EDITOR 200 name
core    DELETE  /api/v1/email-templates/{email_template}     email-templates:delete ADMIN  204

core    GET     /api/v1/agents                               agents:read         VIEWER   200
core    POST    /api/v1/agents                               agents:write        EDITOR   201  agent
core    GET     /api/v1/agents/{agent}                       agents:read         VIEWER   200
core    PUT     /api/v1/agents/{agent}                       agents:write        EDITOR   200  agent
core    PATCH   /api/v1/agents/{agent}                       agents:write        EDITOR   200  name
core    DELETE  /api/v1/agents/{agent}                       agents:delete       ADMIN    204

core    GET     /api/v1/sites                                sites:read          VIEWER   200
core    POST    /api/v1/sites                                sites:write         EDITOR   201  site
core    GET     /api/v1/sites/{site}                         sites:read          VIEWER   200
core    PUT     /api/v1/sites/{site}                         sites:write         EDITOR   200  site
core    PATCH   /api/v1/sites/{site}                         sites:write         EDITOR   200  name
core    DELETE  /api/v1/sites/{site}                         sites:delete        ADMIN    204

core    POST    /api/v1/seo/report                           seo:write           EDITOR   201  report
core    GET     /api/v1/seo/reports                          seo:read            VIEWER   200
core    GET     /api/v1/seo/reports/{report}                 seo:read            VIEWER   200
core    GET     /api/v1/seo/issues/{workspace}               seo:read            VIEWER   200
core    POST    /api/v1/seo/scrape                           seo:write           EDITOR   202  seo_scrape

core    GET     /api/v1/audits                               audits:read         VIEWER   200
core    GET     /api/v1/audits/{audit}                       audits:read         VIEWER   200
core    GET     /api/v1/insights                             audits:read         VIEWER   200
core    GET     /api/v1/insights/{insight}                   audits:read         VIEWER   200
core    PATCH   /api/v1/insights/{insight}                   audits:write        EDITOR   200  insight_status

core    GET     /api/v1/products                             products:read       VIEWER   200
core    POST    /api/v1/products                             products:write      EDITOR   201  product
core    POST    /api/v1/products/import                      products:write      EDITOR   202  csv
core    GET     /api/v1/products/{product}                   products:read       VIEWER   200
core    PUT     /api/v1/products/{product}                   products:write      EDITOR   200  product
core    PATCH   /api/v1/products/{product}                   products:write      EDITOR   200  title
core    DELETE  /api/v1/products/{product}                   products:delete     ADMIN    204
core    POST    /api/v1/products/{product}/tags/approve      products:write      EDITOR   200  empty
core    POST    /api/v1/products/{product}/tags/reject       products:write      EDITOR   200  empty

core    GET     /api/v1/products/{product}/variants          content:read        VIEWER   200
core    GET     /api/v1/variants                             content:read        VIEWER   200
core    GET     /api/v1/variants/{variant}                   content:read        VIEWER   200
core    POST    /api/v1/variants/{variant}/approve           content:write       EDITOR   200  empty
core    POST    /api/v1/variants/{variant}/reject            content:write       EDITOR   200  empty
core    GET     /api/v1/personas                             personas:read       VIEWER   200
core    POST    /api/v1/personas                             personas:write      EDITOR   201  name
core    GET     /api/v1/personas/{persona}                   personas:read       VIEWER   200
core    PUT     /api/v1/personas/{persona}                   personas:write      EDITOR   200  name
core    PATCH   /api/v1/personas/{persona}                   personas:write      EDITOR   200  name
core    DELETE  /api/v1/personas/{persona}                   personas:delete     ADMIN    204
core    GET     /api/v1/audiences                            audiences:read      VIEWER   200
core    POST    /api/v1/audiences                            audiences:write     EDITOR   201  name
core    GET     /api/v1/audiences/{audience}                 audiences:read      VIEWER   200
core    PUT     /api/v1/audiences/{audience}                 audiences:write     EDITOR   200  name
core    PATCH   /api/v1/audiences/{audience}                 audiences:write     EDITOR   200  name
core    DELETE  /api/v1/audiences/{audience}                 audiences:delete    ADMIN    204
core    GET     /api/v1/special-days                         special-days:read   VIEWER   200
core    POST    /api/v1/special-days                         special-days:write  EDITOR   201  name
core    GET     /api/v1/special-days/{special_day}           special-days:read   VIEWER   200
core    PUT     /api/v1/special-days/{special_day}           special-days:write  EDITOR   200  name
core    PATCH   /api/v1/special-days/{special_day}           special-days:write  EDITOR   200  name
core    DELETE  /api/v1/special-days/{special_day}           special-days:delete ADMIN    204
core    GET     /api/v1/brands                               brands:read         VIEWER   200
core    POST    /api/v1/brands                               brands:write        EDITOR   201  name
core    GET     /api/v1/brands/{brand}                       brands:read         VIEWER   200
core    PUT     /api/v1/brands/{brand}                       brands:write        EDITOR   200  name
core    PATCH   /api/v1/brands/{brand}                       brands:write        EDITOR   200  name
core    DELETE  /api/v1/brands/{brand}                       brands:delete       ADMIN    204
core    GET     /api/v1/posts                                posts:read          VIEWER   200
core    POST    /api/v1/posts                                posts:write         EDITOR   201  post
core    GET     /api/v1/posts/{post}                         posts:read          VIEWER   200
core    PUT     /api/v1/posts/{post}                         posts:write         EDITOR   200  post
core    PATCH   /api/v1/posts/{post}                         posts:write         EDITOR   200  title
core    DELETE  /api/v1/posts/{post}                         posts:delete        EDITOR   204
core    POST    /api/v1/posts/{post}/publish                 posts:publish       EDITOR   200  empty
core    POST    /api/v1/posts/{post}/unpublish               posts:publish       EDITOR   200  empty
core    POST    /api/v1/posts/{post}/archive                 posts:publish       EDITOR   200  empty
core    POST    /api/v1/posts/{post}/schedule                posts:publish       EDITOR   200  schedule
core    POST    /api/v1/content/generate                     content:write       EDITOR   202  descriptions

core    *       /api/v1/*                                    NOTHING             -        404
core    *       /api/v1                                      NOTHING             -        404

studio  POST    /v1/auth/login                               PUBLIC              -        200  login
studio  GET     /v1/auth/me                                  ANY                 VIEWER   200
studio  GET     /v1/api-keys                                 api-keys:read       ADMIN    200
studio  POST    /v1/api-keys                                 api-keys:write      ADMIN    201  name
studio  DELETE  /v1/api-keys/{api_key}                       api-keys:delete     ADMIN    200
studio  GET     /v1/inventory/products                       products:read       VIEWER   200
studio  GET     /v1/inventory/variants/{product}             content:read        VIEWER   200
studio  POST    /v1/content/generate                         content:write       EDITOR   202  empty
studio  POST    /v1/content/generate-title                   titles:write        EDITOR   202  empty
studio  POST    /v1/content/generate-google-feed             feeds:write         EDITOR   202  empty
studio  POST    /v1/tags/generate                            tags:write          EDITOR   202  empty
studio  GET     /v1/jobs/{job}/status                        jobs:read           VIEWER   200
studio  PUT     /v1/jobs/{running_job}/control               jobs:write          EDITOR   200  pause
studio  *       /v1/*                                        NOTHING             -        404
studio  *       /v1                                          NOTHING             -        404

app     GET     /api/health                                  PUBLIC              -        200
app     POST    /api/users/invite                            invitations:write   ADMIN    201  invitation
app     GET     /api/account/export                          PERSON              ANYBODY  200
app     GET     /api/leads/scrape                            leads:read          VIEWER   200
app     POST    /api/leads/scrape                            leads:write         EDITOR   202  app_lead_scrape
app     GET     /api/sites                                   sites:read          VIEWER   200
app     POST    /api/sites                                   sites:write         EDITOR   201  site
app     GET     /api/sites/{site}                            sites:read          VIEWER   200
app     PUT     /api/sites/{site}                            sites:write         EDITOR   200  site
app     PATCH   /api/sites/{site}                            sites:write         EDITOR   200  name
app     DELETE  /api/sites/{site}                            sites:delete        ADMIN    200
app     POST    /api/content/bulk                            posts:publish       EDITOR   200  bulk
app     GET     /api/content/{site}/{post}                   posts:read          VIEWER   200
app     PUT     /api/content/{site}/{post}                   posts:write         EDITOR   200  app_post
app     PATCH   /api/content/{site}/{post}                   posts:write         EDITOR   200  title
app     DELETE  /api/content/{site}/{post}                   posts:delete        EDITOR   200
app     GET     /api/seo/scrape                              seo:read            VIEWER   200
app     POST    /api/seo/scrape                              seo:write           EDITOR   202  app_seo_scrape
app     *       /api/*                                       NOTHING             -        404
app     *       /api                                         NOTHING             -        404

insight POST    /api/audit/run                               audits:write        EDITOR   200  audit
insight POST    /api/chat/insight                            audits:write        EDITOR   200  question
insight POST    /api/billing/checkout                        billing:write       OWNER    200  checkout
insight POST    /api/billing/portal                          billing:write       OWNER    200  portal
insight POST    /api/billing/webhook                         PUBLIC              -        400
insight GET     /api/cron                                    SECRET              -        200
insight GET     /api/cron/{task}                             SECRET              -        200
insight POST    /api/cron/{task}                             SECRET              -        200

page    GET     /healthz                                     PUBLIC              -        200
page    GET     /readyz                                      PUBLIC              -        200
page    GET     /api/schema/                                 PUBLIC              -        200
page    GET     /api/docs/                                   PUBLIC              -        200
page    GET     /bot                                         PUBLIC              -        200
page    GET     /favicon.ico                                 PUBLIC              -        302
page    GET     /                                            PUBLIC              -        302
page    GET     /admin                                       PUBLIC              -        302
page    POST    /i18n/setlang/                               PUBLIC              -        302
page    GET     /accounts/                                   PERSON              ANYBODY  302
page    POST    /accounts/workspaces/{workspace}/switch/     PERSON              VIEWER   302
page    POST    /accounts/sessions/{session}/end/            PERSON              ANYBODY  302
page    GET     /accounts/invitations/{token}/               PUBLIC              -        200
page    POST    /accounts/invitations/{token}/               PUBLIC              -        200
page    GET     /billing/workspaces/{workspace}/             PERSON              VIEWER   302
page    POST    /billing/workspaces/{workspace}/             PERSON              OWNER    302
page    GET     /billing/return                              PERSON              ANYBODY  302
page    GET     /billing/portal/{token}/                     PUBLIC              -        404
page    POST    /billing/portal/{token}/                     PUBLIC              -        404
"""

# Unsafe calls that leave no line in the log, and why that is right.
UNLOGGED = {
    "core POST /api/v1/entitlements/usage": "a number that only counts; the ledger keeps each, with what was noted",
    "insight POST /api/chat/insight": "a question changes nothing; who asked and what it took is a row of its own",
    "studio POST /v1/auth/login": "the token is the key itself for a day; what is done with it is logged as the key's",
    "insight POST /api/billing/webhook": "it keeps what Stripe tells; what that changes is logged when it is handled",
    "insight POST /api/cron/{task}": "the installation's own work; what a task does to a workspace it tells itself",
}
# What cannot be done without leaving the house, so that a test key is refused.
OUTSIDE = frozenset(
    {
        "core POST /api/v1/webhooks/{webhook}/deliveries/{delivery}/redeliver",
        "core POST /api/v1/webhooks/{webhook}/deliveries/{delivery}/retry",
        "core POST /api/v1/webhooks/{webhook}/replay",
        "core POST /api/v1/webhooks/{webhook}/test",
        "insight POST /api/billing/checkout",
        "insight POST /api/billing/portal",
    }
)
# Safe calls that do leave one.
LOGGED = {"app GET /api/account/export": "a copy of personal data leaves the house"}

AUDITED = {
    "workspace": {"name": "An account"},
    "topEntities": [{"id": "c1", "metrics": {"cpm": 12.4}}],
    "anomalies": [{"entityId": "c1", "metric": "cpm", "value": 12.4, "baseline": 8.1}],
}
ROLES = ("VIEWER", "EDITOR", "ADMIN", "OWNER")
OPEN = frozenset({"PUBLIC", "SECRET", "NOTHING"})  # where the credential of a caller plays no part
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

# How each surface words an error that every route has, as in the design's table; the app surface adds a title.
WORDS = {
    "core": {},
    "app": {},
    "studio": {
        "unauthorized": "UNAUTHORIZED",
        "access_denied": "FORBIDDEN",
        "not_found": "NOT_FOUND",
        "validation_failed": "BAD_REQUEST",
        "bad_request": "BAD_REQUEST",
        "rate_limit_exceeded": "TOO_MANY_REQUESTS",
        "server_error": "INTERNAL_SERVER_ERROR",
    },
    "insight": {
        "access_denied": "forbidden",
        "validation_failed": "missing_fields",
        "rate_limit_exceeded": "rate_limited",
        "server_error": "internal_error",
    },
}
TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    413: "Payload Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


def bodies(tenant: Any) -> dict[str, Any]:
    """What a good call sends, for a caller of this tenant."""
    site = tenant.ids["site"]
    return {
        "": None,
        "empty": {},
        "pause": {"action": "pause"},
        "name": {"name": "Renamed"},
        "title": {"title": "A pot"},
        "role": {"role": "VIEWER"},
        "workspace": {"name": "Founded", "slug": "founded"},
        "leaked": {"key": tenant.key("sites:read")},
        "login": {"apiKey": tenant.key("sites:read"), "workspaceId": tenant.pk},
        "invitation": {"email": "new@example.org", "role": "VIEWER"},
        "site": {"name": "New", "domain": "new.example.com"},
        "audit": {"context": AUDITED, "siteId": site},
        "checkout": {"plan": "growth", "currency": "huf", "interval": "year", "email": "user@example.com"},
        "portal": {"customerId": f"cus_{tenant.mark}"},
        "insight_status": {"status": "resolved"},
        "question": {
            "insight": {"metricEvidence": {"metric": "cpm", "value": 12.4}},
            "messages": [{"role": "user", "content": "Why?"}],
        },
        "usage": {"feature": "api_calls", "quantity": 1, "metadata": {"endpoint": "/api/v1/posts"}},
        "report": {"url": "https://new.example.com/", "scores": {"seo": 95}},
        "product": {"sku": "NEW-1", "title": "A pot"},
        "csv": b"sku,title\nNEW-1,A pot\n",
        "descriptions": {"content_types": ["description"]},
        "lead": {"company": "New", "emails": ["new@example.com"], "phones": ["+36301234567"]},
        "won": {"status": "won"},
        "webhook": {"url": "https://new.invalid/hook", "events": ["webhook.test"]},
        "webhook_events": {"events": ["webhook.*"]},
        "window": {"since": "2026-01-01T00:00:00Z"},
        "template": {"name": "New", "subject": "Hello {{ name }}", "html": "<p>Hello {{ name }}</p>"},
        "agent": {"name": "New", "instructions": "Look at the reports.", "schedule": "0 9 * * 1"},
        "post": {"site_id": site, "title": "A post", "body": "# Hello"},
        "app_post": {"title": "A post", "body": "# Hello"},
        "schedule": {"publish_at": "2099-01-02T03:04:05Z"},
        "bulk": {"action": "publish", "items": [{"siteId": str(site), "postId": str(tenant.ids["post"])}]},
        "lead_scrape": {"site_id": site, "terms": ["https://example.com/"]},
        "seo_scrape": {"site_id": site},
        "app_lead_scrape": {"siteId": str(site), "terms": ["https://example.com/"]},
        "app_seo_scrape": {"siteId": str(site)},
    }


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    surface: str
    method: str
    template: str
    needs: str
    least: str
    status: int
    body: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """As `Route.key`."""
        return self.surface, "*" if self.surface == "page" else self.method, nameless(self.template.partition("?")[0])

    @property
    def ids(self) -> list[str]:
        """The kinds of rows in the path."""
        return [part[1:-1] for part in self.template.split("/") if part.startswith("{")]

    @property
    def scope(self) -> str:
        """What a key needs, where that is a scope."""
        return self.needs if ":" in self.needs else ""

    @property
    def is_safe(self) -> bool:
        """Changes nothing."""
        return self.method in SAFE

    @property
    def names_workspace(self) -> bool:
        """Its path says which workspace a person means, so that nothing else has to."""
        return self.template.startswith("/api/v1/workspaces/{workspace}")

    def allows(self, role: str) -> bool:
        """Whether a member with that role may."""
        return self.least not in ROLES or ROLES.index(role) >= ROLES.index(self.least)

    def path(self, ids: dict[str, Any]) -> str:
        """With these ids; somewhere below where the template says everything below."""
        return self.template.format(**ids).replace("*", "nope/1")

    def __str__(self) -> str:
        return f"{self.surface} {self.method} {self.template}"


def _parsed(line: str) -> Row:
    surface, method, template, needs, least, status, *body = line.split()
    return Row(surface, method, template, needs, least, int(status), *body)


ROWS = [_parsed(line) for line in TABLE.splitlines() if line]
API = [row for row in ROWS if row.surface != "page"]
PAGES = [row for row in ROWS if row.surface == "page"]
SCOPES = sorted({row.scope for row in ROWS if row.scope})


@dataclass(frozen=True)
class Relation:
    """A field of a request body, or of a query, that names a row."""

    row: Row
    field: str
    kind: str
    many: bool = False
    prefix: str = ""
    status: int = 0  # for what does not exist, when it is not the surface's for an invalid body
    optional: bool = False  # null is none


def row(name: str) -> Row:
    """By `core GET /api/v1/sites`."""
    return next(one for one in ROWS if str(one) == name)


GENERATIONS = (
    "core POST /api/v1/content/generate",
    "studio POST /v1/content/generate",
    "studio POST /v1/content/generate-title",
    "studio POST /v1/content/generate-google-feed",
    "studio POST /v1/tags/generate",
)
BODY_RELATIONS = [
    *(
        Relation(row(name), field, kind)
        for name, field, kind in (
            ("core POST /api/v1/leads/scrape", "site_id", "site"),
            ("core POST /api/v1/seo/scrape", "site_id", "site"),
            ("app POST /api/leads/scrape", "siteId", "site"),
            ("app POST /api/seo/scrape", "siteId", "site"),
            ("insight POST /api/audit/run", "siteId", "site"),
        )
    ),
    *(
        Relation(row(name), field, kind, optional=True)
        for name in ("core POST /api/v1/leads", "core PUT /api/v1/leads/{lead}", "core PATCH /api/v1/leads/{lead}")
        for field, kind in (("site_id", "site"), ("owner_id", "user"))
    ),
    *(
        Relation(row(name), field, kind, optional=optional)
        for name in ("core POST /api/v1/posts", "core PUT /api/v1/posts/{post}", "core PATCH /api/v1/posts/{post}")
        for field, kind, optional in (("site_id", "site", False), ("author_id", "user", True))
    ),
    *(
        Relation(row(f"app {method} /api/content/{{site}}/{{post}}"), field, kind, optional=optional)
        for method in ("PUT", "PATCH")
        for field, kind, optional in (("siteId", "site", False), ("authorId", "user", True))
    ),
    *(
        Relation(row(name), f"{kind}_ids", kind, many=True)
        for name in GENERATIONS
        for kind in ("product", "persona", "audience", "special_day")
    ),
    *(Relation(row(name), "product_ids", "product", many=True, prefix="prod_") for name in GENERATIONS),
    # One's own workspace, or a product in its place: a workspace that is not one's own is 404 (design 1.1).
    *(Relation(row(name), "workspace_id", "workspace", status=404) for name in GENERATIONS[1:]),
    *(Relation(row(name), "workspace_id", "product", prefix="prod_", status=404) for name in GENERATIONS[1:]),
    Relation(row("studio POST /v1/api-keys"), "workspaceId", "workspace", status=404),
    Relation(row("studio POST /v1/auth/login"), "workspaceId", "workspace", status=401),
]
# The same, as (name of the serializer, field): every field of every body that is called like an id is here.
BODY_FIELDS = {
    ("LoginBody", "workspaceId"),
    ("KeyBody", "workspaceId"),
    ("AuditBody", "siteId"),
    ("PortalBody", "customerId"),  # Stripe's: compared with the workspace's own
    ("LeadBody", "site_id"),
    ("LeadBody", "owner_id"),
    ("LeadBody", "external_id"),  # a text: no row's
    *((name, field) for name in ("PostBody", "PostChange") for field in ("site_id", "author_id")),
    ("LeadScrapeBody", "site_id"),
    ("SeoScrapeBody", "site_id"),
    *((name, "workspace_id") for name in ("StudioBody", "ContentBody", "TitleBody", "FeedBody", "TagGenerationBody")),
    *(
        (name, f"{kind}_ids")
        for name in (
            "WantedBody",
            "GenerateBody",
            "StudioBody",
            "ContentBody",
            "TitleBody",
            "FeedBody",
            "TagGenerationBody",
        )
        for kind in ("product", "persona", "audience", "special_day")
    ),
}
QUERY_RELATIONS = [
    Relation(row(name), field, kind)
    for name, field, kind in (
        ("core GET /api/v1/activity", "user_id", "user"),
        ("core GET /api/v1/activity", "object_id", "job"),
        ("core GET /api/v1/jobs", "subject", "subject"),
        ("core GET /api/v1/leads", "site_id", "site"),
        ("core GET /api/v1/leads", "owner_id", "user"),
        ("core GET /api/v1/audits", "site_id", "site"),
        ("core GET /api/v1/insights", "audit_id", "audit"),
        ("core GET /api/v1/leads/scrape", "site_id", "site"),
        ("core GET /api/v1/posts", "site_id", "site"),
        ("core GET /api/v1/posts", "author_id", "user"),
        ("core GET /api/v1/seo/issues/{workspace}", "site_id", "site"),
        ("core GET /api/v1/seo/reports", "site_id", "site"),
        ("core GET /api/v1/seo/reports", "url", "url"),
        ("core GET /api/v1/variants", "product_id", "product"),
        ("core GET /api/v1/products/{product}/variants", "product_id", "product"),
        ("app GET /api/leads/scrape", "siteId", "site"),
        ("app GET /api/seo/scrape", "siteId", "site"),
    )
]
# What each list lists: with a `meta.total` on core, as `total_count` or as a plain list on studio.
LISTS = {
    "core GET /api/v1/workspaces": "workspace",
    "core GET /api/v1/api-keys": "api_key",
    "core GET /api/v1/members": "member",
    "core GET /api/v1/invitations": "invitation",
    "core GET /api/v1/activity": "activity",
    "core GET /api/v1/jobs": "job",
    "core GET /api/v1/jobs/{job}/items": "job_item",
    "core GET /api/v1/webhooks": "webhook",
    "core GET /api/v1/webhooks/{webhook}/deliveries": "delivery",
    "core GET /api/v1/leads": "lead",
    "core GET /api/v1/email-templates": "email_template",
    "core GET /api/v1/agents": "agent",
    "core GET /api/v1/sites": "site",
    "core GET /api/v1/seo/reports": "report",
    "core GET /api/v1/seo/issues/{workspace}": "issue",
    "core GET /api/v1/audits": "audit",
    "core GET /api/v1/insights": "insight",
    "core GET /api/v1/posts": "post",
    "core GET /api/v1/products": "product",
    "core GET /api/v1/products/{product}/variants": "variant",
    "core GET /api/v1/variants": "variant",
    "core GET /api/v1/personas": "persona",
    "core GET /api/v1/audiences": "audience",
    "core GET /api/v1/special-days": "special_day",
    "core GET /api/v1/brands": "brand",
    "studio GET /v1/api-keys": "api_key",
    "studio GET /v1/inventory/products": "product",
    "app GET /api/sites": "site",
}
