"""A subscription's states, in Stripe's words."""

from django.db.models import TextChoices


class Status(TextChoices):
    """Of a subscription. A plan that an operator gave is active."""

    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    UNPAID = "unpaid"
    INCOMPLETE = "incomplete"  # its first payment is not made yet
    PAUSED = "paused"  # a trial that ended without a card
    CANCELED = "canceled"
    INCOMPLETE_EXPIRED = "incomplete_expired"


FINAL = frozenset({Status.CANCELED, Status.INCOMPLETE_EXPIRED})
SERVED = frozenset({Status.TRIALING, Status.ACTIVE})
LATE = frozenset({Status.PAST_DUE, Status.UNPAID})
