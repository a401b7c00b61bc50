"""Forms and the admin check the settings by the same table as the API."""

import pytest
from django.core.exceptions import ValidationError

from sites.options import CrawlOptions, check_crawl, check_pixel, default_crawl, default_pixel


@pytest.mark.parametrize(
    "value", [{}, default_crawl(), {"max_pages": 5000}, {"delay_seconds": None}, {"delay_seconds": 0.5}]
)
def test_crawl_settings_within_bounds_are_fine(value):
    check_crawl(value)
    assert CrawlOptions.of(value).max_pages >= 1


@pytest.mark.parametrize(
    "value",
    [
        [],
        {"max_pages": 0},
        {"max_pages": 5001},
        {"max_pages": "5"},
        {"max_pages": True},
        {"max_pages": 1.5},
        {"max_pages": None},
        {"concurrency": 17},
        {"delay_seconds": -1},
        {"delay_seconds": float("nan")},
        {"speed": 1},
    ],
)
def test_crawl_settings_out_of_bounds_are_refused(value):
    with pytest.raises(ValidationError):
        check_crawl(value)


@pytest.mark.parametrize(
    ("value", "fine"), [(default_pixel(), True), ({"enabled": 1}, False), ({"sample_rate": 2}, False)]
)
def test_pixel_settings_are_checked(value, fine):
    if fine:
        check_pixel(value)
    else:
        with pytest.raises(ValidationError):
            check_pixel(value)
