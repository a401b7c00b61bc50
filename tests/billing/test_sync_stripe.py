"""`manage.py sync_stripe`."""

import json
from dataclasses import replace

import pytest
from django.core.management import CommandError, call_command

from billing.prices import NAMES, PRICES

KEY = ("growth", "huf", "year")


def sync(capsys) -> list[dict]:
    call_command("sync_stripe", "--json")
    return json.loads(capsys.readouterr().out)["changes"]


def active(server) -> dict[str, int]:
    return {row["lookup_key"]: row["unit_amount"] for row in server.prices.values() if row["active"]}


def test_everything_declared_is_made_under_its_key(bare, capsys):
    changes = sync(capsys)
    assert {change["did"] for change in changes} == {"created"}
    assert active(bare) == {price.lookup_key: price.amount for price in PRICES.values()}
    assert {"growth_huf_year", "setup_pack_huf"} <= active(bare).keys()
    assert {row["name"] for row in bare.products.values()} == set(NAMES.values())


def test_run_again_it_changes_nothing(stripe, capsys):
    assert sync(capsys) == []
    assert {method for method, _, _ in stripe.calls} == {"GET"}
    call_command("sync_stripe")
    assert capsys.readouterr().out.strip() == "Stripe is up to date."


def test_a_changed_amount_is_a_new_price_with_the_same_key(stripe, capsys, monkeypatch):
    old = next(row for row in stripe.prices.values() if row["lookup_key"] == "growth_huf_year")
    monkeypatch.setitem(PRICES, KEY, replace(PRICES[KEY], amount=310_000_00))
    assert [(change["name"], change["did"]) for change in sync(capsys)] == [
        ("growth_huf_year", "replaced"),
        ("growth_huf_year", "archived"),
    ]
    assert (old["active"], old["lookup_key"]) == (False, None)
    assert active(stripe)["growth_huf_year"] == 310_000_00
    assert sync(capsys) == []


def test_an_amount_that_is_changed_back_is_there_again(stripe, capsys, monkeypatch):
    declared = PRICES[KEY]
    monkeypatch.setitem(PRICES, KEY, replace(declared, amount=310_000_00))
    sync(capsys)
    monkeypatch.setitem(PRICES, KEY, declared)
    sync(capsys)
    assert active(stripe)["growth_huf_year"] == declared.amount


def test_what_a_broken_run_left_is_put_right(stripe, capsys, monkeypatch):
    monkeypatch.setitem(PRICES, KEY, replace(PRICES[KEY], amount=310_000_00))
    old = next(row for row in stripe.prices.values() if row["lookup_key"] == "growth_huf_year")
    sync(capsys)
    old["active"] = True  # as if it had ended before the last step
    assert [change["did"] for change in sync(capsys)] == ["archived"]
    assert not old["active"]


def test_a_price_that_somebody_made_by_hand_stays(stripe, capsys):
    stripe.prices["price_own"] = stripe.prices["price_0001"] | {"id": "price_own", "lookup_key": None, "metadata": {}}
    assert sync(capsys) == []


def test_a_product_that_was_archived_or_renamed_comes_back(stripe, capsys):
    stripe.products["ajansops_growth"] |= {"active": False, "name": "?"}
    assert sync(capsys) == [{"what": "product", "name": "growth", "did": "updated"}]
    assert stripe.products["ajansops_growth"]["active"]


def test_forints_are_whole():
    assert not [price for price in PRICES.values() if price.currency == "huf" and price.amount % 100]


def test_without_a_key_it_says_so():
    with pytest.raises(CommandError, match="STRIPE_SECRET_KEY"):
        call_command("sync_stripe")


def test_when_stripe_fails_it_says_so(bare):
    bare.fails(500)
    with pytest.raises(CommandError, match="outside service"):
        call_command("sync_stripe")
