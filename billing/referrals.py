"""Who brings others: a code a workspace, one referrer for whom it brings, a credit at Stripe once that has lasted.

A code needs no row: it is the workspace's number with a signature, so that nobody types another's by accident.
"""

import hmac
from datetime import datetime, timedelta
from hashlib import sha256

import structlog
from django.conf import settings

from accounts.models import Membership, Workspace
from ajansops.kit.clock import now
from ajansops.kit.crypto import DerivedKey, derived_keys
from ajansops.kit.errors import Conflict, DomainError, Kind, UpstreamError, UpstreamTimeout
from billing.models import Invoice, Referral, ReferralState, Subscription
from billing.payments import StripeRefused, gateway
from billing.prices import REFERRAL_CREDIT
from billing.statuses import FINAL, Status

log = structlog.get_logger(__name__)

PREFIX = "AJANS"
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: without I, L, O and U, which are read as others
SIGNED = 4  # letters of the signature
HOLD = timedelta(days=30)  # in which the new one has to stay
AT_ONCE = 50


class OwnReferral(DomainError):
    """You cannot refer yourself."""

    code = "invalid_referrer"
    kind = Kind.MALFORMED


class ReferralSettled(Conflict):
    """This referral is rewarded or void already."""


def code_of(workspace_id: int) -> str:
    """What others type at checkout, such as `AJANS-000G-7KQ2`."""
    number = _letters(workspace_id)
    return f"{PREFIX}-{number}-{_signature(derived_keys('referral code')[0], number)}"


def workspace_of(code: str) -> int | None:
    """Whose code it is, in either case; None for what is none of ours."""
    prefix, _, rest = code.strip().upper().partition("-")
    number, _, signature = rest.partition("-")
    if prefix != PREFIX or not number or set(number) - set(LETTERS) or number != _letters(_number(number)):
        return None
    known = any(
        hmac.compare_digest(_signature(key, number).encode(), signature.encode())
        for key in derived_keys("referral code")
    )
    return _number(number) if known else None


def refuse_own(workspace_id: int, code: str) -> None:
    """Raises `OwnReferral`. A code that nobody has is no error: whoever pays shall not fail at a typing error."""
    referrer = workspace_of(code)
    if referrer is not None and _same_people(referrer, workspace_id):
        error = OwnReferral()
        raise OwnReferral(errors={"referrer": [error.message]})


def attribute(workspace_id: int, code: str, *, began: datetime) -> Referral | None:
    """Keep who brought the workspace, once for good. `began` is when its checkout did. In a transaction.

    Nothing for an unknown code, for one's own, and for who had paid before.
    """
    referrer = workspace_of(code)
    if referrer is None or not _counts(referrer, workspace_id, began):
        log.info("referral_refused", workspace=workspace_id, code=code)
        return None
    fields = {"referrer_id": referrer, "held_until": now() + HOLD}
    return Referral.objects.get_or_create(workspace_id=workspace_id, defaults=fields)[0]


def void_referral(referral: Referral) -> None:
    """An operator's no. Raises `ReferralSettled`."""
    if not _settle(referral, ReferralState.VOID):
        raise ReferralSettled


def settle_referrals() -> dict[str, int]:
    """Reward those that have lasted, drop those that have not. One whose payment is late waits, and so does a referrer
    who has no customer at Stripe yet: there is nothing to credit.
    """
    counts = {"referrals_rewarded": 0, "referrals_void": 0}
    held = Referral.objects.filter(state=ReferralState.HELD, held_until__lte=now()).order_by("updated_at", "id")
    for referral in held[:AT_ONCE]:
        brought = Subscription.objects.filter(workspace_id=referral.workspace_id).first()
        if brought is None or not brought.stripe_id or brought.status in FINAL:
            counts["referrals_void"] += _settle(referral, ReferralState.VOID)
        elif brought.status == Status.ACTIVE and _has_paid(referral.workspace_id):
            try:
                counts["referrals_rewarded"] += _reward(referral)
            except StripeRefused:
                referral.save(update_fields=["updated_at"])  # such as for a customer who is deleted there
            except (UpstreamError, UpstreamTimeout):
                referral.save(update_fields=["updated_at"])  # behind the others, should it be its own fault
                break  # Stripe is away; what was credited is found there by its key
        else:
            referral.save(update_fields=["updated_at"])  # behind the others
    return counts


def _counts(referrer: int, workspace_id: int, began: datetime) -> bool:
    alive = Workspace.objects.filter(pk=referrer, deleted_at=None).exists()
    paid_before = Invoice.objects.filter(workspace_id=workspace_id, amount_paid__gt=0, paid_at__lt=began).exists()
    return alive and not paid_before and not _same_people(referrer, workspace_id)


def _reward(referral: Referral) -> bool:
    """Credited first, written after: Stripe knows the referral, so that who comes again credits nothing twice."""
    payer = Subscription.objects.filter(workspace_id=referral.referrer_id).exclude(customer="").first()
    if payer is None or payer.currency not in REFERRAL_CREDIT:
        referral.save(update_fields=["updated_at"])
        return False
    amount = REFERRAL_CREDIT[payer.currency]
    name = f"{settings.ENV.public_url} referral {referral.pk}"
    gateway().credit(payer.customer, amount, payer.currency, name)
    return _settle(referral, ReferralState.REWARDED, currency=payer.currency, credit=amount)


def _settle(referral: Referral, state: ReferralState, **fields: object) -> bool:
    held = Referral.objects.filter(pk=referral.pk, state=ReferralState.HELD)
    return bool(held.update(state=state, settled_at=now(), updated_at=now(), **fields))


def _has_paid(workspace_id: int) -> bool:
    return Invoice.objects.filter(workspace_id=workspace_id, amount_paid__gt=0, status="paid").exists()


def _same_people(one: int, other: int) -> bool:
    """The same workspace, or an owner of one who is in the other."""
    owners = Membership.objects.filter(workspace_id=one).owners().values("user")
    theirs = Membership.objects.filter(workspace_id=other).owners().values("user")
    shared = Membership.objects.filter(workspace_id=other, user__in=owners)
    return one == other or shared.exists() or Membership.objects.filter(workspace_id=one, user__in=theirs).exists()


def _letters(number: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, len(LETTERS))
        text = LETTERS[digit] + text
    return text.rjust(4, "0")


def _number(text: str) -> int:
    number = 0
    for letter in text:
        number = number * len(LETTERS) + LETTERS.index(letter)
    return number


def _signature(key: DerivedKey, number: str) -> str:
    digest = hmac.digest(key.secret, number.encode(), sha256)
    return "".join(LETTERS[byte % len(LETTERS)] for byte in digest[:SIGNED])
