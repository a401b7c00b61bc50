"""`POST /api/audit/run`, and audits and insights on core."""

import copy
import json

import pytest

from accounts.models import Activity, Membership, Workspace
from accounts.roles import Role
from ajansops.api.throttling import AUDIT
from jobs.models import Job, JobItem
from sites.models import Audit, Insight
from tests.conftest import Api
from tests.sites.claude import claude, keyless  # noqa: F401  # fixtures

CONTEXT = {
    "workspace": {"name": "Vitaflex", "currency": "HUF"},
    "topEntities": [
        {"id": "c1", "type": "campaign", "name": "Summer", "metrics": {"cpm": 12.44, "spend": 120000}},
        {"id": "c2", "type": "campaign", "name": "Autumn", "metrics": {"ctr": 0.0126}},
    ],
    "anomalies": [
        {"entityId": "c1", "metric": "cpm", "value": 12.44, "baseline": 8.13, "change": 0.5301, "severity": "high"},
        {"entityId": "c2", "metric": "ctr", "value": 0.0126, "baseline": 0.02, "change": -0.37, "severity": "medium"},
    ],
}
URL = "/api/audit/run"


def context(**changes):
    """The good one, with a dotted path changed, or taken out with `...`."""
    made = copy.deepcopy(CONTEXT)
    for path, value in changes.items():
        *way, last = path.split("__")
        place = made
        for step in way:
            place = place[int(step) if step.isdigit() else step]
        if value is ...:
            del place[last]
        else:
            place[last] = value
    return {"context": made}


def said(entity="c1", metric="cpm", value=12.44, baseline=8.13, change=0.5301, title="Found"):
    """An insight as the model writes it."""
    evidence = {"metric": metric, "value": value, "baseline": baseline, "change": change}
    return {"entity_id": entity, "severity": "high", "title": title, "body": "Look.", "evidence": evidence}


def answers(server, *insights, **usage):
    server.says(
        {"executive_summary": "All.", "account_health_score": 78, "insights": list(insights)}, usage=usage or None
    )


@pytest.fixture(autouse=True)
def _unlimited(monkeypatch):
    """More than five a minute, but where that is what is tested."""
    monkeypatch.setattr("sites.api.insight.AuditRunView.by_address", None)


@pytest.fixture
def editor(people):
    Membership.objects.filter(user=people.bob).update(role=Role.EDITOR)
    return Api(user=people.bob)


def test_it_works(editor):
    answer = editor.post(URL, context())
    assert answer.status_code == 200
    body = answer.json()
    assert (body["ok"], body["mode"]) == (True, "mock")
    assert body["usage"].keys() == {"promptTokens", "cachedTokens", "completionTokens", "costUsd", "elapsedMs"}
    output = body["output"]
    assert output["executive_summary"].startswith("Vitaflex.")
    assert output["account_health_score"] == 78  # 100 × 0.85 × 0.92
    assert output["dropped_insights"] == 0
    assert [one["metricEvidence"] for one in output["insights"]] == [
        {"metric": "cpm", "value": 12.44, "baseline": 8.13, "change": 0.5301},
        {"metric": "ctr", "value": 0.0126, "baseline": 0.02, "change": -0.37},
    ]
    assert "Other figures of it: spend 120,000 HUF." in output["insights"][0]["body"]


def test_a_key_with_the_scope_may(people, key_for):
    assert Api(key=key_for(people.acme, "audits:write")).post(URL, context()).status_code == 200


def test_what_the_model_says_is_told_with_its_price(acme, claude):  # noqa: F811
    answers(claude, said(), input_tokens=1283, cache_read_input_tokens=11200, output_tokens=2174)
    body = acme.post(URL, context()).json()
    assert body["mode"] == "claude"
    assert body["output"]["account_health_score"] == 78
    usage = body["usage"]
    assert (usage["promptTokens"], usage["cachedTokens"], usage["completionTokens"]) == (12483, 11200, 2174)
    assert usage["costUsd"] == 0.039819
    assert usage["elapsedMs"] > 0


@pytest.mark.parametrize(
    "cited",
    [
        said(),
        said(value=12.4, baseline=8.1, change=0.53),
        said(value=12),  # two significant digits
        said(metric="CPM"),
        said(baseline=None, change=None),
        said(metric="spend", value=120000, baseline=None, change=None),
        said(entity="c2", metric="ctr", value=0.013, baseline=0.02, change=-0.37),
    ],
)
def test_evidence_that_was_given_is_kept_as_it_was_given(acme, claude, cited):  # noqa: F811
    answers(claude, cited)
    output = acme.post(URL, context()).json()["output"]
    assert output["dropped_insights"] == 0
    given = [{k: v for k, v in anomaly.items() if k in {"metric", "value", "baseline", "change"}} for anomaly in
             CONTEXT["anomalies"]]  # fmt: skip
    given.append({"metric": "spend", "value": 120000, "baseline": None, "change": None})
    assert output["insights"][0]["metricEvidence"] in given


@pytest.mark.parametrize(
    "cited",
    [
        said(metric="roas"),
        said(value=14.0),
        said(value=-12.44),
        said(value=1244),
        said(baseline=9.0),
        said(change=0.9),
        said(change=53.01),  # a percentage is not the fraction that was given
        said(change=-0.5301),
        said(entity="c2"),
        said(entity="nobody"),
        said(metric="spend", value=120000, baseline=90000, change=None),  # a baseline that nobody gave
    ],
)
def test_evidence_that_was_not_given_is_dropped_and_counted(acme, claude, cited):  # noqa: F811
    answers(claude, cited, said(title="True"))
    output = acme.post(URL, context()).json()["output"]
    assert output["dropped_insights"] == 1
    assert [insight["title"] for insight in output["insights"]] == ["True"]
    assert Audit.objects.get().dropped_insights == 1
    assert Insight.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "context"),
        ({"context": None}, "context"),
        ({"context": {}}, "context.workspace"),
        ({"context": []}, "context.non_field_errors"),
        (context(workspace__name=...), "context.workspace.name"),
        (context(workspace__name=" "), "context.workspace.name"),
        ({"context": {"workspace": {"name": "Empty"}}}, "context.non_field_errors"),
        (context(topEntities=[{"id": "c1"}], anomalies=[]), "context.non_field_errors"),
        (context(topEntities__0__id=...), "context.topEntities.0.id"),
        (context(topEntities__0__metrics={"cpm": "12"}), "context.topEntities.0.metrics.cpm"),
        (context(topEntities__0__metrics={"cpm": True}), "context.topEntities.0.metrics.cpm"),
        (context(topEntities__0__metrics={"cpm": None}), "context.topEntities.0.metrics.cpm"),
        (context(topEntities__0__metrics={f"m{n}": n for n in range(101)}), "context.topEntities.0.metrics"),
        (context(topEntities=[{"id": str(n), "metrics": {"m": 1}} for n in range(201)]), "context.topEntities"),
        (context(anomalies__1__value=...), "context.anomalies.1.value"),
        (context(anomalies__1__value=1e300), "context.anomalies.1.value"),
        (context(anomalies__1__entityId=...), "context.anomalies.1.entityId"),
        ({**context(), "sites": 1}, "sites"),
    ],
)
def test_what_is_missing_or_wrong_is_named(acme, body, field):
    answer = acme.post(URL, body)
    assert answer.status_code == 400
    assert answer.json()["error"] == "missing_fields"
    assert field in answer.json()["errors"]
    assert not Audit.objects.exists()


def test_a_site_alone_is_refused_honestly(acme, people):
    site = acme.post("/api/v1/sites", {"name": "Lale", "domain": "lale.example"}).json()["data"]["id"]
    answer = acme.post(URL, {"siteId": site})
    assert (answer.status_code, answer.json()["error"]) == (400, "missing_fields")
    assert "imported ad metrics" in answer.json()["errors"]["context"][0]
    assert acme.post(URL, {"siteId": site, **context()}).status_code == 200
    assert Audit.objects.get().site_id == site


def test_a_change_that_is_left_out_follows_from_the_rest(acme):
    body = acme.post(URL, context(anomalies__0__change=...)).json()
    assert body["output"]["insights"][0]["metricEvidence"]["change"] == 0.5301


@pytest.mark.parametrize(
    ("locale", "header", "word"),
    [
        ("en-US", "", "Entities"),
        ("tr-TR", "", "Öğeler"),
        ("hu-HU", "", "Elemek"),
        ("tr-TR", "hu-HU,hu;q=0.9,en;q=0.8", "Elemek"),
    ],
)
def test_it_is_written_in_the_callers_language_else_the_workspaces(acme, people, locale, header, word):
    Workspace.objects.filter(pk=people.acme.pk).update(settings=people.acme.settings | {"locale": locale})
    answer = acme.post(URL, context(), **({"accept_language": header} if header else {}))
    assert word in answer.json()["output"]["executive_summary"]


@pytest.mark.parametrize("status", [401, 429, 500, 529])
def test_a_provider_that_fails_is_502_and_nothing_is_stored(acme, claude, status):  # noqa: F811
    claude.fails(status, times=3, retry_after_ms="1", retry_after="7")
    answer = acme.post(URL, context())
    assert (answer.status_code, answer.json()["error"]) == (502, "upstream_error")
    assert status != 429 or (answer["Retry-After"], answer.json()["retryAfter"]) == ("7", 7.0)
    assert not Audit.objects.exists()


def test_a_provider_that_says_nothing_usable_is_502(acme, claude):  # noqa: F811
    claude.says("no json")
    claude.says("still none")
    assert acme.post(URL, context()).status_code == 502


def test_a_provider_that_hangs_is_502_in_time(acme, claude, monkeypatch):  # noqa: F811
    monkeypatch.setattr("sites.audits.services.PATIENCE", 0.05)
    claude.hangs()
    assert acme.post(URL, context()).status_code == 502


@pytest.mark.parametrize("headers", [{}, {"prefer": "respond-async"}])
def test_claude_without_a_key_is_503_before_anything_is_done(acme, keyless, headers):  # noqa: F811
    answer = acme.post(URL, context(), **headers)
    assert (answer.status_code, answer.json()["error"]) == (503, "claude_not_configured")
    assert not Audit.objects.exists()
    assert not Job.objects.exists()


def test_a_test_key_spends_nobodys_money(people, key_for, claude):  # noqa: F811
    assert Api(key=key_for(people.acme, test=True)).post(URL, context()).json()["mode"] == "mock"
    assert claude.requests == []


def test_as_a_job_it_stores_the_same(acme, people, work):
    people.acme.refresh_from_db()
    at_once = acme.post(URL, context()).json()
    answer = acme.post(URL, context(), prefer="respond-async")
    assert answer.status_code == 202
    assert answer["Preference-Applied"] == "respond-async"
    assert answer.json().keys() == {"ok", "jobId"}
    work()
    job = Job.objects.get(pk=answer.json()["jobId"])
    assert (job.kind, job.status) == ("audit", "completed")
    stored = acme.get(f"/api/v1/audits/{JobItem.objects.get().result['audit_id']}").json()["data"]
    assert stored["job_id"] == job.pk
    assert stored["executive_summary"] == at_once["output"]["executive_summary"]
    evidence = [insight["metric_evidence"] for insight in stored["insights"]]
    assert evidence == [insight["metricEvidence"] for insight in at_once["output"]["insights"]]
    assert Activity.objects.filter(action="audit.completed", object_id=str(stored["id"])).exists()


def test_a_job_that_meets_a_busy_model_tries_again(acme, claude, work):  # noqa: F811
    claude.fails(500, times=3, retry_after_ms="1")
    answers(claude, said())
    acme.post(URL, context(), prefer="respond-async")
    work()
    assert Audit.objects.get().mode == "claude"


def test_audits_and_insights_are_on_core(acme):
    made = acme.post(URL, context()).json()
    listed = acme.get("/api/v1/audits").json()
    assert [row["id"] for row in listed["data"]] == [made["auditId"]]
    assert "insights" not in listed["data"][0]
    assert listed["data"][0]["usage"]["prompt_tokens"] == 0
    insights = acme.get(f"/api/v1/insights?audit_id={made['auditId']}&severity=high").json()["data"]
    assert [row["metric_evidence"]["metric"] for row in insights] == ["cpm"]
    assert acme.get("/api/v1/insights?fields=metric_evidence&sort=title").status_code == 200


def test_an_insight_is_resolved_dismissed_and_opened_again(acme):
    acme.post(URL, context())
    first = Insight.objects.first()
    for status in ("resolved", "dismissed", "open"):
        answer = acme.patch(f"/api/v1/insights/{first.pk}", {"status": status})
        assert (answer.status_code, answer.json()["data"]["status"]) == (200, status)
        found = acme.get(f"/api/v1/insights?status={status}").json()["data"]
        assert first.pk in [row["id"] for row in found]
    line = Activity.objects.filter(action="insight.updated").order_by("-seq").first()
    assert line.changes == {"status": ["dismissed", "open"]}


@pytest.mark.parametrize("body", [{"status": "closed"}, {"title": "Mine"}, {"status": None}])
def test_of_an_insight_only_the_status_changes_and_only_to_what_there_is(acme, body):
    acme.post(URL, context())
    assert acme.patch(f"/api/v1/insights/{Insight.objects.first().pk}", body).status_code == 422


def test_markup_in_names_and_answers_is_plain_text(acme, claude):  # noqa: F811
    answers(claude, said(title="<script>alert(1)</script>CPM <b>up</b>\x07"))
    title = acme.post(URL, context()).json()["output"]["insights"][0]["title"]
    assert title == "CPM up"


def test_five_a_minute_of_an_address(acme, monkeypatch):
    monkeypatch.setattr("sites.api.insight.AuditRunView.by_address", AUDIT)
    answers_ = [acme.post(URL, {}) for _ in range(6)]
    assert [answer.status_code for answer in answers_] == [400] * 5 + [429]
    last = answers_[-1].json()
    assert (last["error"], last["retryAfter"]) == ("rate_limited", int(answers_[-1]["Retry-After"]))


def test_no_question_and_no_secret_is_logged(acme, claude, caplog):  # noqa: F811
    answers(claude, said())
    acme.post(URL, context())
    assert "sk-ant-test-1" not in caplog.text
    assert "Summer" not in json.dumps([line.changes for line in Activity.objects.all()])
