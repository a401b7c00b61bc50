"""What the platform asks of an AI provider, and what it gets back. Providers know products, not our models."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from ajansops.kit.errors import UpstreamError
from ajansops.kit.language import Language


class ContentType(StrEnum):
    """The texts that are written about a product."""

    TITLE = "title"
    DESCRIPTION = "description"
    GOOGLE_FEED = "google_feed"


@dataclass(frozen=True, slots=True)
class ProductFacts:
    """All that is known of a product, and so all that may be said of it. Plain text, no HTML."""

    title: str
    description: str = ""
    categories: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()  # ("Size", "Regular, Large"), ("Vendor", "Rustic LTD")


@dataclass(frozen=True, slots=True)
class Voice:
    """Who it is written for, and how the brand speaks. Every field may be empty."""

    persona: str = ""
    audience: str = ""
    special_day: str = ""
    brand: str = ""
    tone: str = ""
    banned_words: tuple[str, ...] = ()
    required_words: tuple[str, ...] = ()
    samples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Image:
    """A picture as fetched: encoded bytes and their media type (`image/jpeg`)."""

    data: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class WriteTask:
    """One text. `complaints` says what was wrong with `previous`, in English, when this is the repair try."""

    content_type: ContentType
    language: Language
    product: ProductFacts
    max_chars: int
    voice: Voice = field(default_factory=Voice)
    previous: str = ""
    complaints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TagTask:
    """Tags for a product, from its picture when there is one and from its text in any case."""

    language: Language
    product: ProductFacts
    image: Image | None = None
    max_tags: int = 10


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens and their price. `input_tokens` includes `cached_tokens`."""

    model: str
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    cost_usd: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Written:
    """A text: a description is HTML of `<p>`, `<ul>`, `<li>`; titles and feed texts are plain."""

    text: str
    usage: Usage


@dataclass(frozen=True, slots=True)
class Tagged:
    """Lower-case tags, best first, no duplicates."""

    tags: tuple[str, ...]
    usage: Usage


class Severity(StrEnum):
    """Of anomalies and insights, from worst to least."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Entity:
    """A campaign, an ad set, a page: whatever was measured. Metrics as given: `("cpm", 12.4)`."""

    id: str
    type: str = ""
    name: str = ""
    metrics: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Anomaly:
    """A metric of an entity that is not as usual. `change` is a fraction of the baseline; `severity` may be empty."""

    entity_id: str
    metric: str
    value: float
    baseline: float | None = None
    change: float | None = None
    severity: str = ""


@dataclass(frozen=True, slots=True)
class AuditTask:
    """All that is known of an account, and so all that may be said of it. Names are data, written by others."""

    language: Language
    workspace: str
    currency: str = ""
    entities: tuple[Entity, ...] = ()
    anomalies: tuple[Anomaly, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """The numbers that an insight stands on, as the provider cites them. Whoever asked compares them with the given."""

    metric: str
    value: float
    baseline: float | None = None
    change: float | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One insight of an audit. Plain text."""

    entity_id: str
    severity: Severity
    title: str
    body: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Audited:
    """An audit. `health_score` is 0 to 100."""

    summary: str
    health_score: int
    findings: tuple[Finding, ...]
    usage: Usage


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a chat."""

    role: str  # user, assistant
    text: str


@dataclass(frozen=True, slots=True)
class ChatTask:
    """A question about an insight: the last turn. `facts` are the insight's, as JSON values; others wrote them."""

    language: Language
    facts: tuple[tuple[str, object], ...]
    evidence: tuple[tuple[str, object], ...]
    turns: tuple[Turn, ...]


class Answer(Protocol):
    """An answer, from the question on. `begin` first; `aclose` in any case."""

    async def begin(self) -> None:
        """Ask, until the first piece is there. Raises as `Provider.write`: after it there is no refusal any more."""
        ...

    def __aiter__(self) -> AsyncIterator[str]:
        """Pieces of plain text. Raises `ProviderFailed` when the answer breaks off."""
        ...

    @property
    def usage(self) -> Usage:
        """What was used so far, also of an answer that nobody listens to any more."""
        ...

    async def aclose(self) -> None:
        """Stop it, wherever it is. May be called twice."""
        ...


class ProviderFailed(UpstreamError):
    """The AI provider did not answer as it should."""


class ProviderBusy(ProviderFailed):
    """The AI provider asks to slow down."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(retry_after=retry_after)
        self.retry_after = retry_after  # seconds


class Provider(Protocol):
    """A source of texts, tags, audits and answers. Used from one event loop; every call is one unit of work."""

    name: str  # on the wire: claude, ollama, mock

    async def write(self, task: WriteTask) -> Written:
        """Raises `ProviderBusy`, or `ProviderFailed` after its own retries."""
        ...

    async def tag(self, task: TagTask) -> Tagged:
        """As `write`."""
        ...

    async def audit(self, task: AuditTask) -> Audited:
        """As `write`. What it cites has to be checked."""
        ...

    def chat(self, task: ChatTask) -> Answer:
        """An answer that is still to begin. The caller closes it."""
        ...

    async def aclose(self) -> None:
        """Give back connections."""
        ...
