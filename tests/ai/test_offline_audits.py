"""Audits and answers without key and network: statistics on what was given, and not a number more."""

import asyncio
import re

import pytest

from ajansops.ai.contract import Anomaly, AuditTask, ChatTask, Entity, Severity, Turn
from ajansops.ai.offline.audit_phrases import WORDS
from ajansops.ai.offline.figures import number, percent
from ajansops.ai.offline.provider import Offline
from ajansops.kit.language import Language
from sites.audits.evidence import proven

ENTITIES = tuple(
    Entity(f"c{n}", "campaign", f"Camp {n}", (("cpm", 10 + n / 4), ("spend", 1000.0**n))) for n in range(6)
)
ODD = Entity("odd", "campaign", "Odd", (("cpm", 99.0),))
ANOMALIES = (
    Anomaly("c1", "ctr", 0.012, 0.02, -0.4),
    Anomaly("c2", "cpm", 12.4, 8.1, 0.53, "critical"),
    Anomaly("c3", "roas", 6.0, 3.0, 1.0),
    Anomaly("c4", "wishes", 5.0, 4.0, 0.25),
)


def audit(*anomalies, entities=ENTITIES, language=Language.EN):
    return asyncio.run(Offline().audit(AuditTask(language, "Vitaflex", "HUF", entities, anomalies)))


def answer(question="Why?", language=Language.EN, facts=(), **evidence):
    async def read():
        task = ChatTask(language, facts, tuple(evidence.items()), (Turn("user", question),))
        return [piece async for piece in Offline().chat(task)]

    return "".join(asyncio.run(read()))


def test_the_worst_comes_first_and_what_got_better_last():
    found = audit(*ANOMALIES).findings
    assert [one.evidence.metric for one in found] == ["cpm", "ctr", "wishes", "roas"]
    assert [one.severity for one in found] == [Severity.CRITICAL, Severity.MEDIUM, Severity.MEDIUM, Severity.CRITICAL]


@pytest.mark.parametrize(
    ("anomalies", "score"),
    [
        ((), 100),
        ((ANOMALIES[2],), 100),  # for the better
        ((ANOMALIES[1],), 75),
        ((ANOMALIES[3],), 96),  # nobody knows which way is good: half of it
        ((ANOMALIES[1],) * 60, 0),
    ],
)
def test_the_score_is_what_the_findings_leave(anomalies, score):
    assert audit(*anomalies, entities=()).health_score == score


@pytest.mark.parametrize(("change", "severity"), [(1.2, "critical"), (-0.5, "high"), (0.2, "medium"), (0.1, "low")])
def test_without_a_severity_the_change_decides(change, severity):
    assert audit(Anomaly("c1", "cpm", 1, 1, change), entities=()).findings[0].severity == severity


def test_a_rate_that_stands_apart_is_found_and_a_volume_is_not():
    (found,) = audit(entities=(*ENTITIES, ODD)).findings
    assert (found.entity_id, found.evidence.metric, found.evidence.value) == ("odd", "cpm", 99.0)
    assert "Median of the 7 entities with this metric: 10.75 HUF." in found.body


@pytest.mark.parametrize("entities", [(*ENTITIES[:3], ODD), (ODD,) * 9])
def test_few_or_equal_entities_have_no_outlier(entities):
    assert audit(entities=entities).findings == ()


def test_what_is_an_anomaly_already_is_not_found_twice():
    anomaly = Anomaly("odd", "cpm", 99.0, 10.0, 8.9)
    assert len(audit(anomaly, entities=(*ENTITIES, ODD)).findings) == 1


@pytest.mark.parametrize("language", Language)
def test_every_finding_proves_itself(language):
    task = AuditTask(language, "V", "HUF", (*ENTITIES, ODD), ANOMALIES)
    found = asyncio.run(Offline().audit(task)).findings
    assert len(found) == 5
    assert all(proven(task, one) for one in found)


def test_there_are_no_numbers_but_the_given_ones():
    (found,) = audit(ANOMALIES[1], entities=()).findings
    assert set(re.findall(r"\d[\d.]*\d|\d", found.body)) == {"12.4", "8.1", "53"}


def test_names_become_one_plain_line():
    evil = Entity("c2", "campaign", "<b>Camp</b>\n\x00 two " + "x" * 500, ())
    title = audit(ANOMALIES[1], entities=(evil,)).findings[0].title
    assert title.startswith("Camp two")
    assert len(title) < 120


def test_at_most_twenty_findings():
    assert len(audit(*[Anomaly(str(n), "cpm", n, 1, 0.5) for n in range(50)], entities=()).findings) == 20


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1234567.891, ("1,234,567.89", "1.234.567,89", "1\u00a0234\u00a0567,89")),
        (2400.0, ("2,400", "2.400", "2\u00a0400")),
        (0.0126, ("0.0126", "0,0126", "0,0126")),
        (-3.5, ("-3.5", "-3,5", "-3,5")),
        (0, ("0", "0", "0")),
    ],
)
def test_numbers_are_written_as_each_language_does(value, shown):
    assert tuple(number(value, language) for language in (Language.EN, Language.TR, Language.HU)) == shown


def test_percentages_too():
    assert [percent(0.526, language) for language in (Language.EN, Language.TR, Language.HU)] == [
        "+53%",
        "+%53",
        "+53%",
    ]
    assert percent(-0.0512, Language.EN) == "-5.1%"


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("Miért magas a CPM?", Language.HU),
        ("CPM neden bu kadar yüksek?", Language.TR),
        ("Why is the CPM high?", Language.EN),
    ],
)
def test_an_answer_speaks_the_language_of_the_question(question, language):
    text = answer(question, metric="cpm", value=12.4, change=0.53)
    assert WORDS[language].no_cause in text
    assert WORDS[language].worse in text
    assert text.endswith(WORDS[language].all_there_is)


def test_where_nobody_can_tell_the_language_it_is_the_callers():
    assert WORDS[Language.TR].value in answer("CPM?", Language.TR, metric="cpm", value=12.4)


def test_an_answer_without_evidence_says_so():
    assert answer() == WORDS[Language.EN].no_evidence


def test_the_severity_is_told_in_words():
    assert "Önem: yüksek." in answer("neden?", Language.TR, (("severity", "high"),), value=1)


@pytest.mark.parametrize("value", [True, None, "<b>12</b>", 1e300, -0.0])
def test_odd_values_do_not_break_it(value):
    assert answer(metric="cpm", value=value, baseline=value, change=None)
