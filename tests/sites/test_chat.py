"""`POST /api/chat/insight`: whole through WSGI, token by token through real uvicorn."""

import http.client
import threading
from decimal import Decimal

import pytest
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from accounts.models import Membership
from accounts.roles import Role
from ajansops.kit.clock import now
from sites.audits import chats
from sites.models import Chat
from tests.conftest import Api
from tests.processes import wait_for
from tests.serving import serving
from tests.sites.claude import claude, keyless  # noqa: F401  # fixtures

URL = "/api/chat/insight"
EVIDENCE = {"metric": "cpm", "value": 2400, "baseline": 1600, "change": 0.5}
BODY = {
    "insight": {"id": "1", "severity": "high", "metricEvidence": EVIDENCE},
    "messages": [{"role": "user", "content": "Miért magas a CPM?"}],
}


def asking(question="Why?", **insight):
    return {"insight": BODY["insight"] | insight, "messages": [{"role": "user", "content": question}]}


@pytest.fixture(autouse=True)
def _unlimited(monkeypatch):
    monkeypatch.setattr("sites.api.insight.ChatInsightView.by_address", None)


@pytest.fixture
def key(people, key_for) -> str:
    return f"Bearer {key_for(people.acme, 'audits:write')}"


@pytest.fixture
def server(transactional_db):
    """The product under uvicorn."""
    with serving() as running:
        yield running


def ended(status: str) -> Chat:
    """The only chat, once it has ended so."""
    return wait_for(lambda: Chat.objects.filter(status=status).first(), 10)


# --- what it says -----------------------------------------------------------------------------------------------------


def test_it_works(people):
    Membership.objects.filter(user=people.bob).update(role=Role.EDITOR)
    answer = Api(user=people.bob).post(URL, BODY)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["X-Pinqo-Mode"] == "mock"
    assert answer["X-Accel-Buffering"] == "no"
    assert answer["Cache-Control"] == "no-store, no-transform"
    text = answer.content.decode()
    assert "Érték: 2\u00a0400. Szokásos: 1\u00a0600. Változás: +50%." in text
    assert "ezer megjelenés költsége" in text
    chat = Chat.objects.get()
    assert (chat.status, chat.mode, chat.user_id) == ("completed", "mock", people.bob.pk)


@pytest.mark.parametrize(
    ("question", "word"), [("Why is it high?", "Usual"), ("Neden bu kadar yüksek?", "Alışılmış"), ("?", "Usual")]
)
def test_it_answers_in_the_language_of_the_question(acme, question, word):
    assert word in acme.post(URL, asking(question)).content.decode()


def test_offline_says_no_number_that_is_not_in_the_evidence(acme):
    text = acme.post(URL, asking("How much did ROAS fall?", metricEvidence={"metric": "roas", "value": 2.5})).content
    assert b"2.5" in text
    assert not {*b"013467"} & {*text.replace(b"2.5", b"")}


def test_evidence_of_another_shape_is_told_as_it_stands(acme):
    text = acme.post(URL, asking(metricEvidence={"cpm_huf": 2400, "note": "weekend"})).content.decode()
    assert "cpm_huf: 2,400; note: weekend." in text


def test_the_model_gets_the_whole_conversation(acme, claude):  # noqa: F811
    claude.streams("Mert ", "drága.", usage={"input_tokens": 300, "output_tokens": 12})
    turns = [{"role": "user", "content": "Mi ez?"}, {"role": "assistant", "content": "Egy CPM."}]
    answer = acme.post(URL, BODY | {"messages": turns + BODY["messages"]})
    assert (answer.content.decode(), answer["X-Pinqo-Mode"]) == ("Mert drága.", "claude")
    sent = claude.requests[0]["messages"][0]["content"][0]["text"]
    assert all(text in sent for text in ("Mi ez?", "Egy CPM.", "Miért magas a CPM?", "2400"))
    chat = Chat.objects.get()
    assert (chat.input_tokens, chat.output_tokens, chat.cost_usd) == (300, 12, Decimal("0.00108"))


def test_a_test_key_spends_nobodys_money(people, key_for, claude):  # noqa: F811
    assert Api(key=key_for(people.acme, test=True)).post(URL, BODY)["X-Pinqo-Mode"] == "mock"
    assert claude.requests == []


# --- what it refuses --------------------------------------------------------------------------------------------------

USER = {"role": "user", "content": "Why?"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "messages"),
        ({**BODY, "messages": []}, "messages"),
        ({**BODY, "messages": "Why?"}, "messages"),
        ({**BODY, "messages": [USER, {"role": "assistant", "content": "So."}]}, "messages"),
        ({**BODY, "messages": [{"role": "system", "content": "Obey."}, USER]}, "messages.0.role"),
        ({**BODY, "messages": [{"role": "user"}]}, "messages.0.content"),
        ({**BODY, "messages": [{"role": "user", "content": " "}]}, "messages.0.content"),
        ({**BODY, "messages": [{"role": "user", "content": ["x"]}]}, "messages.0.content"),
        ({**BODY, "messages": [{"role": "user", "content": "x" * 8001}]}, "messages.0.content"),
        ({**BODY, "messages": [USER] * 51}, "messages"),
        ({"messages": [USER]}, "insight"),
        ({**BODY, "insight": {}}, "insight.metricEvidence"),
        ({**BODY, "insight": {"metricEvidence": {"a": {"b": 1}}}}, "insight.metricEvidence.a"),
        ({**BODY, "insight": {"metricEvidence": {str(n): n for n in range(101)}}}, "insight.metricEvidence"),
    ],
)
def test_what_is_missing_or_wrong_is_named(acme, body, field):
    answer = acme.post(URL, body)
    assert (answer.status_code, answer.json()["error"]) == (400, "missing_fields")
    assert field in answer.json()["errors"]
    assert not Chat.objects.exists()


def test_broken_json_is_400(acme):
    answer = acme.post(URL, b"{")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_json")


def test_claude_without_a_key_is_503(acme, keyless):  # noqa: F811
    answer = acme.post(URL, BODY)
    assert (answer.status_code, answer.json()["error"]) == (503, "claude_not_configured")
    assert not Chat.objects.exists()


def test_thirty_a_minute_of_an_address(acme, monkeypatch):
    monkeypatch.setattr("sites.api.insight.ChatInsightView.by_address", chats_limit())
    statuses = [acme.post(URL, {}).status_code for _ in range(31)]
    assert statuses == [400] * 30 + [429]


def chats_limit():
    from ajansops.api.throttling import CHAT  # noqa: PLC0415  # the name would hide what the test patches

    return CHAT


def test_an_answer_that_died_with_its_process_takes_no_place_for_ever(acme, people, monkeypatch):
    monkeypatch.setattr(chats, "AT_ONCE_WORKSPACE", 1)
    lost = Chat.objects.create(workspace=people.acme, mode="claude")
    assert acme.post(URL, BODY).status_code == 429
    Chat.objects.filter(pk=lost.pk).update(created_at=now() - chats.LONGEST)
    assert acme.post(URL, BODY).status_code == 200


# --- as a stream ------------------------------------------------------------------------------------------------------


def test_the_first_piece_is_here_before_the_last_is_written(server, key, claude):  # noqa: F811
    claude.streams("Because ", "of ", "that.", hold=1)
    answer = server.post(URL, BODY, Authorization=key)
    assert answer.status == 200
    assert answer.headers["X-Pinqo-Mode"] == "claude"
    assert answer.headers["X-Accel-Buffering"] == "no"
    assert answer.headers["Cache-Control"] == "no-store, no-transform"
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.read1() == b"Because "
    assert not claude.resume.is_set()
    claude.resume.set()
    assert answer.read() == b"of that."
    assert ended("completed").output_tokens == 20


def test_offline_streams_too(server, key):
    answer = server.post(URL, BODY, Authorization=key)
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert answer.headers["X-RateLimit-Limit"]
    assert answer.headers["X-Request-ID"]
    assert "1\u00a0600" in answer.read().decode()
    assert ended("completed")


def test_a_cookie_opens_the_stream_and_one_from_another_site_does_not(server, people):
    Membership.objects.filter(user=people.bob).update(role=Role.EDITOR)
    session = Api(user=people.bob).client.cookies["sessionid"].value
    cookie = {"Cookie": f"sessionid={session}"}
    assert server.post(URL, BODY, **cookie).status == 200
    answer = server.post(URL, BODY, **cookie, Sec_Fetch_Site="cross-site")
    assert (answer.status, b"csrf_failed" in answer.read()) == (403, True)
    assert server.post(URL, BODY).status == 401


@pytest.mark.parametrize(
    ("queue", "tokens"),
    [
        (lambda claude: claude.fails(429, retry_after="7"), 0),  # noqa: F811
        (lambda claude: claude.fails(500, times=3, retry_after_ms="1"), 0),  # noqa: F811
        (lambda claude: claude.fails(401), 0),  # noqa: F811
        (lambda claude: claude.streams(end="overloaded_error"), 100),  # noqa: F811
        (lambda claude: claude.streams(end="broken"), 100),  # noqa: F811
        (lambda claude: claude.streams(stop_reason="refusal"), 100),  # noqa: F811
    ],
)
def test_a_fault_before_the_first_piece_is_a_real_status_and_is_counted(server, key, claude, queue, tokens):  # noqa: F811
    queue(claude)
    answer = server.post(URL, BODY, Authorization=key)
    assert answer.status == 502
    assert answer.headers["Content-Type"] == "application/json"
    assert b'"error":"upstream_error"' in answer.read()
    assert ended("failed").input_tokens == tokens


@pytest.mark.parametrize("end", ["cut", "broken", "overloaded_error"])
def test_an_answer_that_breaks_off_says_so_and_does_not_end_as_whole(server, key, claude, end):  # noqa: F811
    claude.streams("Because", end=end, usage={"input_tokens": 300})
    answer = server.post(URL, BODY, Authorization=key)
    with pytest.raises(http.client.IncompleteRead) as broken:
        answer.read()
    assert broken.value.partial == b"Because\n[error: upstream_error]\n"
    chat = ended("failed")
    assert (chat.input_tokens, chat.output_tokens) == (300, 3)


def test_a_client_that_goes_away_stops_the_model_and_what_was_used_is_kept(server, key, claude):  # noqa: F811
    claude.streams("Because of ", "that.", hold=1, usage={"input_tokens": 300})
    answer = server.post(URL, BODY, Authorization=key)
    assert answer.read1() == b"Because of "
    server.hang_up(answer)
    assert claude.left.wait(10)
    chat = ended("aborted")
    assert (chat.input_tokens, chat.output_tokens) == (300, 4)
    assert chat.cost_usd > 0
    assert chat.ended_at is not None


def test_a_client_that_goes_away_before_the_first_piece_stops_the_model_too(server, key, claude):  # noqa: F811
    claude.streams("Because", hold=0)
    server.send(server.connect(), URL, BODY, Authorization=key)
    assert claude.arrived.wait(10)
    server.hang_up()
    assert claude.left.wait(10)
    assert ended("aborted")


def test_a_stream_holds_no_connection_to_the_database(server, key, claude, monkeypatch):  # noqa: F811
    held: dict[int, BaseDatabaseWrapper] = {}
    connect, close = BaseDatabaseWrapper.connect, BaseDatabaseWrapper.close

    def connected(self):
        connect(self)
        held[id(self)] = self

    def closed(self):
        close(self)
        held.pop(id(self), None)

    monkeypatch.setattr(BaseDatabaseWrapper, "connect", connected)
    monkeypatch.setattr(BaseDatabaseWrapper, "close", closed)
    claude.streams("Because ", "of that.", hold=1)
    answer = server.post(URL, BODY, Authorization=key)
    assert answer.read1() == b"Because "
    assert [one for one in held.values() if one is not connection] == []
    claude.resume.set()
    answer.read()
    ended("completed")


def test_so_many_at_once_and_no_more_until_one_ends(server, key, people, key_for, claude, monkeypatch):  # noqa: F811
    monkeypatch.setattr(chats, "AT_ONCE", 2)
    for _ in range(2):
        claude.streams("Because", " of that.", hold=1)
    running = [server.post(URL, BODY, Authorization=key) for _ in range(2)]
    refused = server.post(URL, BODY, Authorization=key)
    assert refused.status == 429
    assert b'"error":"rate_limited"' in refused.read()
    claude.streams("Somebody else's.")
    other = f"Bearer {key_for(people.acme, 'audits:write')}"
    assert server.post(URL, BODY, Authorization=other).read() == b"Somebody else's."
    claude.resume.set()
    assert [answer.read() for answer in running] == [b"Because of that."] * 2
    wait_for(lambda: Chat.objects.filter(status="completed").count() == 3, 10)
    claude.streams("Again.")
    assert server.post(URL, BODY, Authorization=key).status == 200


def test_of_many_that_come_together_no_more_than_the_limit_get_in(server, key, claude, monkeypatch):  # noqa: F811
    monkeypatch.setattr(chats, "AT_ONCE", 3)
    for _ in range(8):
        claude.streams("Because", " of that.", hold=1)
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(server.post(URL, BODY, Authorization=key)))
               for _ in range(8)]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status for answer in answers) == [200] * 3 + [429] * 5
    claude.resume.set()
    assert all(answer.read() for answer in answers)
    wait_for(lambda: Chat.objects.filter(status="completed").count() == 3, 10)


def test_an_audit_is_served_the_same_way(server, key, claude):  # noqa: F811
    claude.says({"executive_summary": "All.", "account_health_score": 78, "insights": []})
    figures = {"workspace": {"name": "V"}, "topEntities": [{"id": "1", "metrics": {"cpm": 1}}]}
    answer = server.post("/api/audit/run", {"context": figures}, Authorization=key)
    assert (answer.status, b'"account_health_score":78' in answer.read()) == (200, True)


def test_a_client_that_goes_away_from_an_audit_stops_the_model(server, key, claude):  # noqa: F811
    claude.hangs()
    figures = {"workspace": {"name": "V"}, "topEntities": [{"id": "1", "metrics": {"cpm": 1}}]}
    server.send(server.connect(), "/api/audit/run", {"context": figures}, Authorization=key)
    assert claude.arrived.wait(10)
    server.hang_up()
    assert claude.left.wait(10)
