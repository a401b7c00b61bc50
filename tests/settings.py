"""The product's settings, with a folder of its own and a broker that forgets."""

import os
import tempfile

os.environ.setdefault("VAR_DIR", tempfile.mkdtemp(prefix="ajansops-tests-"))
os.environ.setdefault("CELERY_BROKER_URL", "memory://")
os.environ.setdefault("NET_ALLOW_PRIVATE", "127.0.0.1/32")
os.environ.setdefault("CRON_SECRET", "cron-secret")

from ajansops.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # argon2 is slow on purpose
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"

for _cache in CACHES.values():  # noqa: F405  # two processes of tests clear what is theirs
    _cache["KEY_PREFIX"] = f"ajansops-test-{os.getpid()}"

for _database in DATABASES.values():  # noqa: F405  # some tests share one transaction for minutes; none outlives a power cut
    if "options" in _database.get("OPTIONS", {}):
        _database["OPTIONS"]["options"] += " -c idle_in_transaction_session_timeout=0 -c synchronous_commit=off"

CALLS_WRITTEN_EVERY = 0  # a test writes them itself
