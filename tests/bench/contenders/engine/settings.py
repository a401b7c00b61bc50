"""The product's settings and one app more."""

from ajansops.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.bench.contenders.engine"]  # noqa: F405
