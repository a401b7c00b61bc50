"""E-mails, phones, accounts and address of whoever a page belongs to."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from leads.extract.emails import clean_emails, find_emails, mailto
from leads.extract.model import MAX_ENTRIES, Address, Contact, Organisation
from leads.extract.organisations import organisations_of
from leads.extract.page import HtmlPage, social, tidy
from leads.extract.phones import clean_phone, find_phones, guess_region, unique_phones

MAX_ADDRESS = 300  # characters
WHATSAPP = "wa.me"  # https://wa.me/<number in E.164 without the plus>


def contacts(html: str, url: str, region: str | None = None) -> Contact:
    """What the page gives away: its links first, then its structured data, then its text.

    `region` (ISO 3166-1 alpha-2) is where national numbers are read when the caller knows; else it is guessed from the
    address in the structured data, the TLD and the language. Read a directory with `organisations` instead: here all
    that stands on one page is taken as one company's.
    """
    page = HtmlPage(html, url)
    described = organisations_of(page)
    links = [href for href, _ in page.links()]
    address = _address(page, described)
    area = guess_region(page.url, page.lang, region or "", *(company.address.country for company in described))
    text = page.visible_text()
    mails = (mail for company in described for mail in company.emails)
    numbers = (number for company in described for number in company.phones)
    return Contact(
        emails=clean_emails([*_mail_links(links), *mails, *find_emails(text)]),
        phones=unique_phones([*_phone_links(links, area), *numbers, *find_phones(text, area)]),
        socials=_socials(page, links, described),
        address=address,
        lang=page.language,
    )


def _mail_links(links: list[str]) -> Iterator[str]:
    for href in links:
        if href.lower().startswith("mailto:"):
            yield from mailto(href)


def _phone_links(links: list[str], region: str | None) -> Iterator[str | None]:
    for href in links:
        if href.lower().startswith("tel:"):
            yield clean_phone(href[len("tel:") :], region)
        elif WHATSAPP in href:
            yield clean_phone(_whatsapp(href), None)


def _whatsapp(href: str) -> str:
    try:
        parts = urlsplit(href)
    except ValueError:
        return ""
    return f"+{parts.path.strip('/')}" if parts.hostname == WHATSAPP else ""


def _socials(page: HtmlPage, links: list[str], described: list[Organisation]) -> tuple[str, ...]:
    own = (social(page.absolute(href)) for href in links)
    given = (link for company in described for link in company.socials)
    return tuple(dict.fromkeys(link for link in [*own, *given] if link))[:MAX_ENTRIES]


def _address(page: HtmlPage, described: list[Organisation]) -> str:
    """From structured data when that is about one company only, else from <address>."""
    if len(described) == 1 and described[0].address != Address():
        given = described[0].address
        town = " ".join(filter(None, (given.postal_code, given.locality)))
        return ", ".join(filter(None, (given.street, town, given.region, given.country)))
    node = page.tree.css_first("address")
    return tidy(node.text(separator=" ")).replace("\n", " ")[:MAX_ADDRESS] if node else ""
