"""When periodic work is due: each slot once, in every zone, whatever its clocks do."""

import pickle
from datetime import UTC, datetime, timedelta
from itertools import pairwise, takewhile
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from ajansops.kit.slots import Cron, Every

ZONES = ["UTC", "Europe/Istanbul", "Europe/Budapest", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo"]
# Days on which a clock of these is put forward or back.
SHIFTS = [
    "2026-03-08",
    "2026-03-29",
    "2026-04-05",
    "2026-04-24",
    "2026-10-04",
    "2026-10-25",
    "2026-10-30",
    "2026-11-01",
]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def cron(line: str, zone: str) -> Cron:
    return Cron(line, ZoneInfo(zone))


def walk(schedule, after: datetime, until: datetime) -> list[datetime]:
    """By asking for the next, and the next."""
    found, moment = [], after
    while (moment := schedule.following(moment)) <= until:
        found.append(moment)
    return found


def watch(schedule, after: datetime, until: datetime, step: timedelta) -> list[datetime]:
    """What a clock sees that looks again and again and asks for the current one."""
    seen, moment = [], after
    while (moment := moment + step) <= until:
        slot = schedule.current(moment)
        if slot > after and slot not in seen:
            seen.append(slot)
    return seen


@pytest.mark.parametrize(
    ("line", "zone", "day", "starts"),
    [  # the wall clock of a day, with the offset
        ("30 2 * * *", "Europe/Budapest", "2026-03-28", "02:30+01:00"),
        ("30 2 * * *", "Europe/Budapest", "2026-03-29", "03:00+02:00"),  # 02:00-03:00 does not exist
        ("0,30 2 * * *", "Europe/Budapest", "2026-03-29", "03:00+02:00"),  # both fall into the gap: once
        ("30 2,3 * * *", "Europe/Budapest", "2026-03-29", "03:00+02:00 03:30+02:00"),
        ("0 3 * * *", "Europe/Budapest", "2026-03-29", "03:00+02:00"),
        ("0 2,3 * * *", "Europe/Budapest", "2026-03-29", "03:00+02:00"),  # the gap's end is the other's own time
        ("30 2 * * *", "Europe/Budapest", "2026-10-25", "02:30+02:00"),  # twice there: the first
        ("0 2-4 * * *", "Europe/Budapest", "2026-10-25", "02:00+02:00 03:00+01:00 04:00+01:00"),
        ("30 2 * * *", "America/New_York", "2026-03-08", "03:00-04:00"),
        ("30 1 * * *", "America/New_York", "2026-11-01", "01:30-04:00"),
        ("15 2 * * *", "Australia/Lord_Howe", "2026-10-04", "02:30+11:00"),  # half an hour is missing
        ("30 2 * * *", "Australia/Lord_Howe", "2026-10-04", "02:30+11:00"),
        ("45 1 * * *", "Australia/Lord_Howe", "2026-04-05", "01:45+11:00"),  # half an hour comes twice
        ("0 0 * * *", "Africa/Cairo", "2026-04-24", "01:00+03:00"),  # midnight does not exist
        ("30 2 * * *", "Europe/Istanbul", "2026-03-29", "02:30+03:00"),  # no shifts since 2016
        ("30 2 * * *", "Europe/Istanbul", "2026-10-25", "02:30+03:00"),
        ("30 2 * * *", "UTC", "2026-03-29", "02:30+00:00"),
        ("0 1-4 * * MON", "Europe/Budapest", "2026-03-29", ""),  # a Sunday
        # By real time: what is in the gap does not come, what is there twice comes twice.
        ("*/30 2 * * *", "Europe/Budapest", "2026-03-29", ""),
        ("*/30 2 * * *", "Europe/Budapest", "2026-10-25", "02:00+02:00 02:30+02:00 02:00+01:00 02:30+01:00"),
    ],
)
def test_a_day_of_a_cron_line(line, zone, day, starts):
    local = ZoneInfo(zone)
    first = datetime.fromisoformat(day).replace(tzinfo=local).astimezone(UTC) - timedelta(microseconds=1)
    last = (datetime.fromisoformat(day) + timedelta(days=1)).replace(tzinfo=local).astimezone(UTC) - timedelta(
        minutes=1
    )
    expected = [datetime.fromisoformat(f"{day}T{start}").astimezone(UTC) for start in starts.split()]
    assert walk(cron(line, zone), first, last) == expected
    assert watch(cron(line, zone), first, last, timedelta(minutes=5)) == expected


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("day", SHIFTS)
def test_an_hourly_line_runs_each_real_hour(zone, day):
    start = utc(day) - timedelta(hours=12)
    slots = walk(cron("7 * * * *", zone), start, start + timedelta(days=2))
    hour = timedelta(hours=1)
    if zone != "Australia/Lord_Howe":  # where the clocks go by half an hour
        assert {later - slot for slot, later in pairwise(slots)} == {hour}
    assert len(slots) in {47, 48, 49}
    assert {later - slot for slot, later in pairwise(slots)} <= {hour, hour / 2, hour * 3 / 2}


LINES = st.builds(
    "{} {} * * {}".format,
    st.sampled_from(["0", "7", "30", "0,30", "*/20", "*/45", "1-59/29", "59"]),
    st.sampled_from(["*", "0", "1", "2", "3", "1,2", "0-4", "*/3", "23"]),
    st.sampled_from(["*", "SUN", "1-5"]),
)
MOMENTS = st.builds(
    lambda day, seconds: utc(day) + timedelta(seconds=seconds), st.sampled_from(SHIFTS), st.integers(-86_400, 172_800)
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(LINES, st.sampled_from(ZONES), MOMENTS)
def test_current_and_following_are_two_views_of_one_row_of_slots(line, zone, moment):
    schedule = cron(line, zone)
    slot, later = schedule.current(moment), schedule.following(moment)
    assert slot <= moment < later
    assert schedule.current(slot) == slot
    assert schedule.following(slot) == later
    assert schedule.current(later) == later
    assert schedule.current(later - timedelta(microseconds=1)) == slot
    assert schedule.missed(slot, later) == 0


@settings(max_examples=15, deadline=None, derandomize=True)
@given(LINES, st.sampled_from(ZONES), MOMENTS)
def test_a_clock_that_looks_sees_each_slot_once_and_in_order(line, zone, moment):
    schedule, until = cron(line, zone), moment + timedelta(hours=30)
    slots = walk(schedule, moment, until)
    assert slots == sorted(set(slots))
    shortest = min([later - slot for slot, later in pairwise(slots)], default=timedelta(hours=1))
    assert watch(schedule, moment, until, min(shortest, timedelta(minutes=7))) in (slots, slots[:-1])
    assert schedule.missed(moment, until) == len([slot for slot in slots if slot < until])


@settings(max_examples=50, deadline=None, derandomize=True)
@given(LINES.filter(lambda line: "*" in line[:4]), st.sampled_from(ZONES), MOMENTS)
def test_a_line_by_real_time_runs_in_each_minute_that_it_names(line, zone, moment):
    """Told minute by minute: cronsim only says whether the wall clock's minute is named."""
    first = moment.replace(second=0)
    minutes = [first + timedelta(minutes=passed) for passed in range(24 * 60)]
    walls = [minute.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for minute in minutes]
    named = set(takewhile(lambda wall: wall <= max(walls), CronSim(line, min(walls) - timedelta(minutes=1))))
    by_minute = [minute for minute, wall in zip(minutes, walls, strict=True) if wall in named]
    assert walk(cron(line, zone), first - timedelta(seconds=1), minutes[-1]) == by_minute


@settings(max_examples=100, deadline=None, derandomize=True)
@given(LINES, st.sampled_from(["Europe/Budapest", "America/New_York", "Europe/Istanbul"]), st.sampled_from(SHIFTS))
def test_where_clocks_shift_by_an_hour_it_is_what_cronsim_says(line, zone, day):
    start = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)) - timedelta(days=1)
    theirs = takewhile(lambda slot: slot <= start + timedelta(days=3), CronSim(line, start))
    ours = walk(cron(line, zone), start.astimezone(UTC), (start + timedelta(days=3)).astimezone(UTC))
    assert ours == [slot.astimezone(UTC) for slot in theirs]


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.integers(0, 23), st.integers(0, 59), st.sampled_from(ZONES))
def test_a_daily_line_comes_once_on_each_day_of_the_year_by_the_wall_clock(hour, minute, zone):
    slots = walk(cron(f"{minute} {hour} * * *", zone), utc("2026-01-01 14:00"), utc("2026-12-31 00:00"))
    days = [slot.astimezone(ZoneInfo(zone)).date() for slot in slots]
    assert {later - day for day, later in pairwise(days)} == {timedelta(days=1)}
    late = [
        slot
        for slot in slots
        if (local := slot.astimezone(ZoneInfo(zone))).time().replace(fold=0)
        != local.replace(hour=hour, minute=minute).time().replace(fold=0)
    ]
    assert len(late) <= 1  # the day on which that time does not exist


@settings(deadline=None, derandomize=True)
@given(st.integers(1, 100_000), MOMENTS, st.integers(0, 10**6))
def test_seconds_are_counted_from_the_epoch(seconds, moment, wait):
    schedule = Every(seconds)
    slot = schedule.current(moment)
    assert slot <= moment < schedule.following(moment) == slot + timedelta(seconds=seconds)
    assert slot.timestamp() % seconds == 0
    until = moment + timedelta(seconds=wait)
    assert schedule.missed(moment, until) == max(
        0, -(-int(until.timestamp()) // seconds) - 1 - int(moment.timestamp()) // seconds
    )


def test_slots_are_the_same_wherever_a_process_starts():
    assert Every(3600).current(utc("2026-11-30 10:59:59.5")) == utc("2026-11-30 10:00")
    assert Every(3600).missed(utc("2026-11-30 10:00"), utc("2026-11-30 14:00")) == 3
    assert Every(3600).missed(utc("2026-11-30 10:00"), utc("2026-11-30 11:00")) == 0
    assert Every(30).following(utc("2026-11-30 10:00:30")) == utc("2026-11-30 10:01")


@pytest.mark.parametrize("line", ["", "* * * *", "0 * * * * *", "0 0 30 2 *", "61 * * * *", "@daily", "0 0 * * 9"])
def test_a_line_that_never_comes_is_refused(line):
    with pytest.raises(ValueError, match=r"cron line|never comes"):
        cron(line, "UTC")


def test_a_schedule_is_a_value():
    line = cron("0 4 * * 1", "Europe/Budapest")
    assert pickle.loads(pickle.dumps(line)) == line == cron("0 4 * * 1", "Europe/Budapest")
    assert line != cron("0 4 * * 1", "Europe/Istanbul")
    assert [str(line), str(Every(60))] == ["0 4 * * 1 Europe/Budapest", "every 60 s"]
