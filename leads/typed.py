"""Contacts as people and programs type them, in the form in which scrapes keep them. Pure.

A scrape drops what it does not understand; here it is a ValidationError that shows it, since somebody meant something.
"""

from collections.abc import Callable, Iterable, Mapping

from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from ajansops.kit.net import BadUrl, parse_url
from leads.extract.emails import normal_address
from leads.extract.phones import clean_phone, country_code
from leads.found import MAX_URL

SHOWN = 100  # characters of what was not understood
MAX_TAGS = 50
MAX_TAG = 80  # characters


def emails(values: Iterable[str]) -> list[str]:
    """Each mailbox once."""
    found = _each(values, normal_address, gettext("'%(value)s' is not an e-mail address."))
    return list({email.casefold(): email for email in found}.values())


def phones(values: Iterable[str], region: str | None) -> list[str]:
    """In E.164; a national number is one of the region."""
    message = gettext("'%(value)s' is not a phone number; with its country code it is read everywhere.")
    return _each(values, lambda value: clean_phone(value, region), message)


def urls(values: Iterable[str]) -> list[str]:
    """In canonical form."""
    return _each(values, _url, gettext("'%(value)s' is not an address such as https://example.com."))


def website(value: str) -> str:
    """As one of `urls`, or none."""
    return "".join(urls([value] if value.strip() else []))


def line(text: str) -> str:
    """On one line: names go into headers of mails."""
    return " ".join(text.split())


def tags(values: Iterable[str]) -> list[str]:
    """Each once, on one line."""
    found = [tag for tag in dict.fromkeys(map(line, values)) if tag]
    if len(found) > MAX_TAGS or any(len(tag) > MAX_TAG for tag in found):
        message = gettext("At most %(most)d tags of at most %(length)d characters.")
        raise ValidationError(message % {"most": MAX_TAGS, "length": MAX_TAG})
    return found


def address(parts: Mapping[str, str]) -> dict[str, str]:
    """Its parts that say something, with the code of a known country."""
    given = {name: text for name, text in parts.items() if text}
    return given | ({"country": country_code(given["country"])} if "country" in given else {})


def _each(values: Iterable[str], read: Callable[[str], str | None], complaint: str) -> list[str]:
    """What `read` makes of them, each once; whatever it makes nothing of is refused, all of it at once."""
    made = {value: read(value) for value in values}
    if wrong := [value for value, result in made.items() if not result]:
        raise ValidationError([complaint % {"value": value[:SHOWN]} for value in wrong])
    return list(dict.fromkeys(result for result in made.values() if result))


def _url(text: str) -> str | None:
    try:
        url = str(parse_url(text.strip()))
    except BadUrl:
        return None
    return url if len(url) <= MAX_URL else None
