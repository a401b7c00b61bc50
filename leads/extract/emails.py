"""E-mail addresses in text, as pages write them and as they hide them."""

import re
from collections.abc import Iterable
from urllib.parse import unquote

from email_validator import EmailNotValidError, validate_email

from leads.extract.model import MAX_ENTRIES, words

# Bounded repeats: the text is a stranger's. Neighbours that can be part of an address are taken in, so that a broken
# one is refused as a whole instead of being cut to something that looks right.
ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}(?![\w@-])")
AT = re.compile(r" ?[\[({<] ?(?:at|kukac|et|ät) ?[\])}>] ?", re.IGNORECASE)
DOT = re.compile(r" ?[\[({<] ?(?:dot|nokta|pont) ?[\])}>] ?", re.IGNORECASE)

FILE_ENDINGS = words("avif bmp css gif htm html ico jpeg jpg js json map pdf php png svg ttf webp woff woff2")
PLACEHOLDER_DOMAINS = words(
    """
    alanadi.com alanadiniz.com domain.com email.com example.com example.net example.org mysite.com siteadi.com
    sirketiniz.com test.com yourcompany.com yourdomain.com yoursite.com yourwebsite.com
    """
)
PLACEHOLDER_NAMES = words("adiniz example name ornek pelda someone user username you your-email youremail yourname")


def find_emails(text: str) -> list[str]:
    """Candidates in the order of the text, `[at]`, `(kukac)` and their like made plain; nothing is checked yet."""
    plain = DOT.sub(".", AT.sub("@", text))
    return [match.group() for match in ADDRESS.finditer(plain)]


def mailto(href: str) -> list[str]:
    """The recipients of a `mailto:` link."""
    return unquote(href[len("mailto:") :].partition("?")[0]).split(",")


def clean_emails(candidates: Iterable[str]) -> tuple[str, ...]:
    """The valid ones in their normal form, each mailbox once. Whether mail arrives there is not asked."""
    found: dict[str, str] = {}
    for candidate in candidates:
        email = _clean(candidate)
        if email:
            found.setdefault(email.casefold(), email)
    return tuple(found.values())[:MAX_ENTRIES]


def normal_address(candidate: str) -> str | None:
    """In its normal form; None for what is no address."""
    try:
        valid = validate_email(candidate.strip(" \t\r\n<>.,;:'\""), check_deliverability=False)
    except EmailNotValidError:
        return None
    local = valid.local_part
    # Lower case only where it is the same letter everywhere: a dotless I is another mailbox than an i.
    return f"{local.lower() if local.isascii() else local}@{valid.domain}"


def _clean(candidate: str) -> str | None:
    """None for what pages write where an address belongs, too."""
    email = normal_address(candidate)
    if email is None:
        return None
    local, _, domain = email.rpartition("@")
    if domain.rpartition(".")[2].lower() in FILE_ENDINGS or domain.lower() in PLACEHOLDER_DOMAINS:
        return None
    return None if local.lower().replace(".", "") in PLACEHOLDER_NAMES else email
