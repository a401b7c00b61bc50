"""A year of a customer's life under a moved clock: whatever happens at Stripe, and in whatever order, how often and how
late its events come, the subscription here is Stripe's, and what was used, the ledger and the work done are one number.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import uuid4

import pytest
import time_machine
from django.db import transaction
from django.db.models import Sum
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from accounts.roles import Role, codenames
from ajansops.api import throttling
from ajansops.kit import runners
from ajansops.kit.actor import Actor
from ajansops.kit.clock import now
from ajansops.kit.entitlements import Feature, FeatureLimitReached, entitlements
from ajansops.kit.plans import tier_of
from ajansops.kit.runners import ItemFailed, NewItem
from billing import reconcile
from billing.ledger import return_reservations, used_of, verify_ledger
from billing.limits import limit_of
from billing.models import EventState, Invoice, LedgerEntry, Notice, NoticeKind, StripeEvent, Subscription, Usage
from billing.periods import current_period
from billing.plans import PLANS
from billing.reconcile import fetch_events, read_anew
from billing.services import set_plan
from jobs import claims
from jobs.models import ItemState, Job, JobItem
from jobs.outcomes import Outcome, save_outcomes
from jobs.services import cancel_job, start_job
from tests.billing.conftest import handle, send
from tests.billing.stripe_life import Life
from tests.conftest import Api
from tests.jobs.conftest import Recorder

START = datetime(2027, 1, 31, 22, 30, tzinfo=UTC)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
GRACE = timedelta(days=14)
EMAILS = Feature.EMAILS
MOVES = ("nothing", "upgrade", "downgrade", "notice", "end", "recover", "give up", "return")
TOLD = {NoticeKind.PAYMENT_FAILED: "invoice.payment_failed", NoticeKind.WIN_BACK: "customer.subscription.deleted"}
LIVE = frozenset({"trialing", "active", "past_due", "unpaid"})

steps = st.lists(
    st.fixed_dictionaries(
        {
            "days": st.integers(1, 45),
            "move": st.sampled_from(MOVES),
            "pays": st.booleans(),
            "outage": st.booleans(),
            "units": st.integers(0, 80),
        }
    ),
    min_size=8,
    max_size=12,
)


def step(days: int, move: str = "nothing", *, pays: bool = True, units: int = 30) -> dict:
    return {"days": days, "move": move, "pays": pays, "outage": False, "units": units}


LIFE = [  # a trial, then whatever can happen to a customer
    step(15),
    step(31, pays=False),
    step(2, "recover"),
    step(5, "upgrade"),
    step(5, "downgrade"),
    step(31, "notice"),
    step(35),
    step(3, "return"),
    step(31, pays=False),
    step(20, "give up"),
    step(2, "recover"),
    step(3, "end"),
]


class Work:
    """What the customer does: jobs that workers take, fail at, lose and end; and mails, of which some come back.

    `done` is the work by the month it was begun in, counted where it is done and not where it is charged.
    """

    KINDS = (Recorder.kind,)

    def __init__(self, workspace_id: int, recorder: Recorder, chance: Random):
        self.pk, self.recorder, self.chance = workspace_id, recorder, chance
        self.actor = Actor(workspace_id, codenames(Role.OWNER))
        self.done: Counter[datetime] = Counter()
        self.begun: dict[str, datetime] = {}  # jobs
        self.refused = 0

    def begin(self, units: int, name: str) -> None:
        """As much as the plan allows, and not a unit less."""
        if not units:
            return
        before, most = used_of(self.pk, EMAILS), limit_of(self.pk, EMAILS)
        try:
            if self.chance.random() < 0.5:
                self.send(units, name)
            else:
                self.start(units, name)
        except FeatureLimitReached:
            self.refused += 1
            assert before + units > most
        else:
            assert used_of(self.pk, EMAILS) <= most

    def send(self, units: int, name: str) -> None:
        month = current_period(self.pk).start
        for _ in range(2):
            entitlements().use(self.pk, EMAILS, units, name)
        back = min(units, self.chance.choice([0, 0, 3]))
        for _ in range(2):
            entitlements().refund(self.pk, EMAILS, name, back)
        self.done[month] += units - back

    def start(self, units: int, name: str) -> None:
        month = current_period(self.pk).start
        job = start_job(self.actor, Recorder.kind, [NewItem(f"{name}:{number}") for number in range(units)])
        self.begun[job.pk] = month

    def go_on(self, *, to_the_end: bool = False) -> None:
        """What workers do: in each round some items end well, some fail, and some are lost with their worker."""
        JobItem.objects.filter(state=ItemState.RUNNING).update(lease_until=LONG_AGO)  # by the database's clock
        claims.sweep(self.KINDS)
        while items := claims.claim(25, lease := uuid4(), list(self.KINDS)):
            fates = {
                item.id: "done" if to_the_end else self.chance.choice(["done", "done", "failed", "lost"])
                for item in items
            }
            outcomes = [
                Outcome(item, item.key) if fates[item.id] == "done" else Outcome(item, error=ItemFailed("no"))
                for item in items
                if fates[item.id] != "lost"
            ]
            if outcomes:
                save_outcomes(outcomes, lease)
            if not to_the_end and self.chance.random() < 0.5:
                break
        if not to_the_end and self.begun and self.chance.random() < 0.2:
            cancel_unless_over(self.actor, self.chance.choice(list(self.begun)))
        claims.end_jobs(claims.ending_jobs(self.KINDS))
        return_reservations()

    def by_month(self) -> Counter[datetime]:
        """With the effects of the jobs."""
        whole = Counter(self.done)
        for pk, month in self.begun.items():
            name = Job.objects.get(pk=pk).items.values_list("key", flat=True)
            whole[month] += sum(self.recorder.effects[key] for key in name)
        return +whole


def cancel_unless_over(actor: Actor, job_id: str) -> None:
    if not Job.objects.get(pk=job_id).is_final:
        cancel_job(actor, job_id)


class Year:
    """One customer; `pool` is what Stripe has still to deliver."""

    def __init__(self, stripe, people, travel, chance: Random, recorder: Recorder):
        for rows in (stripe.customers, stripe.subscriptions, stripe.invoices, stripe.events, stripe.sessions):
            rows.clear()
        stripe.keys.clear()
        self.stripe, self.people, self.travel, self.chance = stripe, people, travel, chance
        self.life = Life(stripe, int(now().timestamp()))
        self.pool: list[dict] = []
        self.delivered: set[str] = set()
        self.work = Work(people.acme.pk, recorder, chance)
        self.seen: set[str] = set()  # moves that were made, and states
        set_plan(people.acme.pk, "free")
        body = {"plan": "starter", "currency": "eur", "interval": "month", "email": "billing@example.org"}
        answer = Api(user=people.alice).post("/api/billing/checkout", body)
        assert answer.status_code == 200, answer.content
        session = answer.json()["id"]
        self.pool += self.life.pay(stripe.sessions[session], trial_days=chance.choice([0, 14]))
        self.customer = stripe.sessions[session]["customer"]
        self.seen.add(self.row["status"])

    @property
    def row(self) -> dict:
        """The latest subscription."""
        return list(self.stripe.subscriptions.values())[-1]

    def price(self, plan: str) -> dict:
        key = f"{plan}_eur_month"
        return next(price for price in self.stripe.prices.values() if price["lookup_key"] == key)

    def pass_days(self, days: int, *, pays: bool) -> None:
        """Periods end on their way."""
        self.travel.shift(timedelta(days=days))
        moment = int(now().timestamp())
        while self.row["status"] in LIVE - {"unpaid"}:
            ends = self.row["items"]["data"][0]["current_period_end"]
            if ends > moment:
                break
            self.life.at = ends
            self.pool += self.life.renew(self.row, paid=pays and self.row["status"] != "past_due")
        self.life.at = moment

    def make(self, move: str) -> None:
        """What cannot be done in this state is not done."""
        row, life = self.row, self.life
        status, before = row["status"], len(self.pool)
        if move == "upgrade" and status == "active":
            self.pool += life.change(row, self.price("agency"))
        elif move == "downgrade" and status == "active":
            self.pool += life.change(row, self.price("starter"))
        elif move == "notice" and status == "active":
            self.pool += life.give_notice(row)
        elif move == "end" and status in LIVE:
            self.pool += life.end(row)
        elif move == "recover" and status in {"past_due", "unpaid"}:
            self.pool += life.recover(row)
        elif move == "give up" and status == "past_due":
            self.pool += life.give_up(row)
        elif move == "return" and status == "canceled":
            self.pool += life.subscribe(self.customer, self.price("growth"))[1]
        self.seen |= {status, self.row["status"], *([move] if len(self.pool) > before else [])}

    def deliver(self, *, outage: bool, all_of_it: bool = False) -> bool:
        """Some now, some later, some twice, some never; in any order. Whether anything came."""
        self.chance.shuffle(self.pool)
        now_, self.pool = self.pool, []
        came = []
        for event in now_:
            fate = 1.0 if all_of_it else self.chance.random()
            if 0.15 <= fate < 0.35:
                self.pool.append(event)
            elif fate >= 0.35:
                came += [event] * self.chance.choice([1, 1, 2])
        assert {answer.status_code for answer in send(*came)} <= {200}
        self.delivered |= {event["id"] for event in came}
        if outage:
            self.stripe.fails(500, times=self.chance.choice([1, 2, 3]))
            handle()
            self.stripe.faults.clear()
            self.travel.shift(timedelta(minutes=1))
        handle()
        return bool(came)

    def check(self) -> None:
        """What is here is what is there."""
        row, there = Subscription.objects.get(workspace=self.people.acme), self.row
        item = there["items"]["data"][0]
        open_since = self.open_since(there) if there["status"] in {"past_due", "unpaid"} else None
        plan = item["price"]["product"].removeprefix("ajansops_")
        assert {
            "stripe_id": row.stripe_id,
            "status": row.status,
            "plan": row.plan,
            "period": (row.period_start, row.period_end),
            "notice": row.cancel_at_period_end,
            "ended": row.ended_at,
            "late since": row.past_due_since,
        } == {
            "stripe_id": there["id"],
            "status": there["status"],
            "plan": plan,
            "period": (moment(item["current_period_start"]), moment(item["current_period_end"])),
            "notice": there["cancel_at_period_end"],
            "ended": moment(there["ended_at"]),
            "late since": open_since,
        }
        late = there["status"] == "past_due" and open_since and now() < open_since + GRACE
        in_force = plan if there["status"] in {"trialing", "active"} or late else "free"
        shown = Api(user=self.people.alice).get("/api/v1/subscription").json()["data"]
        assert (shown["plan"], shown["status"]) == (in_force, there["status"].upper())
        assert tier_of(self.people.acme.pk) == PLANS[in_force].tier
        kept = {one.stripe_id: (one.status, one.amount_paid) for one in Invoice.objects.all()}
        assert kept == {pk: (one["status"], one["amount_paid"]) for pk, one in self.stripe.invoices.items()}

    def open_since(self, row: dict) -> datetime:
        own = [one for one in self.stripe.invoices.values() if one["status"] == "open"]
        own = [one for one in own if one["parent"]["subscription_details"]["subscription"] == row["id"]]
        return moment(min(one["created"] for one in own))

    def check_units(self) -> None:
        """Ledger, counters and work done."""
        by_month = dict(Usage.objects.filter(period__workspace=self.people.acme).values_list("period__start", "used"))
        assert +Counter(by_month) == self.work.by_month()
        entries = LedgerEntry.objects.filter(reservation__workspace=self.people.acme)
        assert (entries.aggregate(sum=Sum("units"))["sum"] or 0) == sum(by_month.values())
        assert verify_ledger()["ledger_mismatches"] == 0

    def check_mails(self) -> None:
        """One for each failed try and for each end, to each address."""
        for kind, name in TOLD.items():
            told = [event for event in self.stripe.events.values() if event["type"] == name]
            sources = list(Notice.objects.filter(kind=kind).values_list("source", "email"))
            assert len(set(sources)) == len(sources)
            known = [one for one in told if self.is_known(one)]
            about = [one["data"]["object"] if kind == NoticeKind.WIN_BACK else one for one in known]
            assert {source for source, _ in sources} == {one["id"] for one in about}

    def is_known(self, event: dict) -> bool:
        return StripeEvent.objects.filter(event_id=event["id"], state=EventState.DONE).exists()


def moment(seconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


@pytest.mark.django_db
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(steps=LIFE, chance=Random(0))
@given(steps=steps, chance=st.randoms(use_true_random=False))
def test_a_year_ends_as_stripe_has_it(stripe, people, monkeypatch, steps, chance):
    monkeypatch.setattr(throttling, "REDIS_PREFIX", f"ajansops-test:{uuid4()}:")
    throttling.limiter_at.cache_clear()
    monkeypatch.setattr(reconcile, "KEPT", timedelta(days=1000))
    monkeypatch.setattr("jobs.outcomes.BACKOFF", (0, 0, 0))
    recorder = Recorder()
    monkeypatch.setattr(Recorder, "feature", EMAILS)
    monkeypatch.setitem(runners._RUNNERS, recorder.kind, recorder)
    with time_machine.travel(START, tick=False) as travel, transaction.atomic():
        year = Year(stripe, people, travel, chance, recorder)
        for number, step in enumerate(steps):
            year.pass_days(step["days"], pays=step["pays"])
            year.make(step["move"])
            if year.deliver(outage=step["outage"]):
                year.check()
            year.work.begin(step["units"], f"work:{number}")
            year.work.go_on()
        year.deliver(outage=False, all_of_it=True)
        fetch_events()
        handle()
        read_anew()
        handle()
        year.check()
        travel.shift(timedelta(days=2))
        year.work.go_on(to_the_end=True)
        year.check_units()
        year.check_mails()
        assert steps != LIFE or year.seen == {*MOVES, *LIVE, "canceled"} - {"nothing"}
        assert not StripeEvent.objects.exclude(state=EventState.DONE).exists()
        transaction.set_rollback(True)
