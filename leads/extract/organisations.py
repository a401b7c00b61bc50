"""The companies that a page describes in structured data."""

import math
from collections.abc import Iterable, Iterator
from html import unescape
from typing import Any

from leads.extract.emails import clean_emails
from leads.extract.model import MAX_ENTRIES, Address, Geo, Organisation, words
from leads.extract.page import HtmlPage, join, social, tidy
from leads.extract.phones import clean_phone, country_code, guess_region, unique_phones
from leads.extract.structured import Thing, things

MAX_ORGANISATIONS = 500
MAX_NAME = 200  # characters
MAX_DESCRIPTION = 1_000
MAX_LIST = 50  # entries looked at in one property

# Organization, LocalBusiness and what schema.org derives from them, without the types that end in one of ENDINGS.
TYPES = words(
    """
    Airline AmusementPark AnimalShelter ArtGallery AutoRental AutoRepair AutoWash AutomatedTeller Bakery
    BankOrCreditUnion BarOrPub BeautySalon BedAndBreakfast BowlingAlley Brewery CafeOrCoffeeShop Campground Casino
    ChildCare CollegeOrUniversity ComedyClub Consortium Cooperative Corporation DanceGroup DaySpa Dentist Dermatology
    DiagnosticLab Distillery DryCleaningOrLaundry Electrician ElementarySchool ExerciseGym FireStation Florist
    FoodEstablishment GasStation GolfCourse Gynecologic HairSalon HealthClub HighSchool Hospital Hostel Hotel
    HousePainter IceCreamShop InternetCafe Library Locksmith MedicalClinic MiddleSchool Motel MotorcycleRepair
    MovieTheater MovingCompany MusicGroup NGO NailSalon NightClub Notary Optician Optometric Pediatric PerformingGroup
    Pharmacy Physician Physiotherapy Plumber PoliceStation PoliticalParty Preschool PublicSwimmingPool RadioStation
    RealEstateAgent RecyclingCenter Resort School SelfStorage ShoppingCenter SkiResort SportsActivityLocation
    SportsClub SportsTeam StadiumOrArena TattooParlor TelevisionStation TennisComplex TheaterGroup
    TouristInformationCenter VacationRental VeterinaryCare Winery WorkersUnion
    """
)
ENDINGS = tuple(words("Agency Attorney Business Contractor Dealer Office Organization Restaurant Service Store"))
NOT_ORGANISATIONS = words("BroadcastService CableOrSatelliteService FoodService GovernmentService Service TaxiService")


def organisations(html: str, url: str) -> list[Organisation]:
    """Each named company once, in the page's order; none when the page has no structured data."""
    return organisations_of(HtmlPage(html, url))


def organisations_of(page: HtmlPage) -> list[Organisation]:
    """As `organisations`, of a page that is parsed already."""
    found: dict[tuple[str, str], Organisation] = {}
    for thing in things(page):
        organisation = _organisation(thing, page) if is_organisation(thing) else None
        if organisation:
            found.setdefault((organisation.name.casefold(), organisation.url), organisation)
        if len(found) == MAX_ORGANISATIONS:
            break
    return list(found.values())


def is_organisation(thing: Thing) -> bool:
    """Whether its type is Organization, LocalBusiness or a kind of them."""
    names = {word.rstrip("/").rpartition("/")[2].removeprefix("schema:") for word in _texts(thing.get("@type"))}
    return any(name in TYPES or name.endswith(ENDINGS) for name in names - NOT_ORGANISATIONS)


def _organisation(thing: Thing, page: HtmlPage) -> Organisation | None:
    name = _line(thing.get("name"), MAX_NAME)
    if not name:
        return None
    address = _address(thing.get("address"))
    region = guess_region(page.url, page.lang, address.country)
    points = [thing, *(point for point in _many(thing.get("contactPoint")) if isinstance(point, dict))]
    links = [join(page.base, link) for link in _texts(thing.get("sameAs"))]
    return Organisation(
        name=name,
        url=next((link for link in (join(page.base, text) for text in _texts(thing.get("url"))) if link), ""),
        emails=clean_emails(text.removeprefix("mailto:") for point in points for text in _texts(point.get("email"))),
        phones=unique_phones(_phones(points, region)),
        address=address,
        geo=_geo(thing.get("geo")),
        socials=tuple(dict.fromkeys(filter(None, map(social, links))))[:MAX_ENTRIES],
        description=_line(thing.get("description"), MAX_DESCRIPTION),
    )


def _phones(points: list[Thing], region: str | None) -> Iterator[str | None]:
    for point in points:
        for text in _texts(point.get("telephone")):
            yield clean_phone(text.removeprefix("tel:"), region)


def _address(value: Any) -> Address:
    first = next(iter(_many(value)), None)
    if not isinstance(first, dict):
        return Address(street=_line(first, MAX_NAME))
    country = first.get("addressCountry")
    return Address(
        street=_line(first.get("streetAddress"), MAX_NAME),
        locality=_line(first.get("addressLocality"), MAX_NAME),
        region=_line(first.get("addressRegion"), MAX_NAME),
        postal_code=_line(first.get("postalCode"), 20),
        country=country_code(_line(country.get("name") if isinstance(country, dict) else country, 60)),
    )


def _geo(value: Any) -> Geo | None:
    first = next(iter(_many(value)), None)
    if not isinstance(first, dict):
        return None
    lat, lon = _degrees(first.get("latitude"), 90), _degrees(first.get("longitude"), 180)
    return Geo(lat, lon) if lat is not None and lon is not None else None


def _degrees(value: Any, limit: int) -> float | None:
    text = next(iter(_texts(value)), "")
    try:
        degrees = float(text.replace(",", "."))
    except ValueError:
        return None
    return degrees if math.isfinite(degrees) and abs(degrees) <= limit else None


def _many(value: Any) -> Iterable[Any]:
    return value[:MAX_LIST] if isinstance(value, list) else [value]


def _texts(value: Any) -> list[str]:
    """Strings and numbers of a property that may be one, a list, or wrapped in `@value`."""
    plain = (entry.get("@value") if isinstance(entry, dict) else entry for entry in _many(value))
    return [str(entry) for entry in plain if isinstance(entry, str | float) or _small(entry)]


def _small(entry: Any) -> bool:
    # A number of thousands of digits is valid JSON, and turning it into text is refused by Python.
    return isinstance(entry, int) and not isinstance(entry, bool) and abs(entry) < 10**20


def _line(value: Any, limit: int) -> str:
    """The first text on one line; JSON-LD often carries the entities of the HTML it was made from."""
    text = next(iter(_texts(value)), "")
    return tidy(unescape(text[: limit * 4])).replace("\n", " ")[:limit]
