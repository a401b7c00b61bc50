"""What billing does again and again."""

from zoneinfo import ZoneInfo

from ajansops.kit.periodic import Periodic
from ajansops.kit.slots import Cron, Every
from billing.folding import fold_ledger
from billing.ledger import return_reservations, verify_ledger
from billing.notices import send_notices
from billing.reconcile import fetch_events, read_anew
from billing.referrals import settle_referrals
from billing.revenue import record_revenue
from billing.thresholds import tell_thresholds

TASKS = (
    Periodic("fetch_stripe_events", Every(3600), fetch_events),
    Periodic("reconcile_stripe", Cron("40 2 * * *", ZoneInfo("UTC")), read_anew),
    Periodic("billing_notices", Every(60), send_notices),
    Periodic("billing_referrals", Every(3600), settle_referrals),
    Periodic("billing_revenue", Every(3600), record_revenue),
    Periodic("return_reservations", Every(60), return_reservations),
    Periodic("tell_usage", Every(30), tell_thresholds),
    Periodic("verify_ledger", Cron("20 3 * * *", ZoneInfo("UTC")), verify_ledger),
    Periodic("fold_ledger", Cron("50 3 * * *", ZoneInfo("UTC")), fold_ledger),
)
