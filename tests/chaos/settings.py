"""The product's settings and one more app: a kind of job whose every step can be counted, and points to die at."""

from ajansops.settings import *  # noqa: F403

INSTALLED_APPS.insert(INSTALLED_APPS.index("ajansops"), "tests.chaos.apps.ChaosConfig")  # noqa: F405
ROOT_URLCONF = "tests.chaos.urls"
