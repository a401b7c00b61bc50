"""What the outside is told about leads."""

from dataclasses import dataclass
from typing import ClassVar

from ajansops.kit.permissions import Permission
from ajansops.kit.public_events import JSON, PublicEvent


@dataclass(frozen=True, slots=True)
class LeadEvent(PublicEvent):
    """Something happened to a lead."""

    serializer: ClassVar[str] = "leads.api.serializers.LeadSerializer"
    path: ClassVar[str] = "leads"
    right: ClassVar[Permission] = Permission.VIEW_LEAD
    example: ClassVar[JSON] = {
        "id": 18,
        "company": "Demlik Ltd",
        "contact": "",
        "emails": ["info@demlik.example"],
        "phones": ["+905551234567"],
        "website": "https://demlik.example/",
        "address": {"formatted": "Istanbul"},
        "latitude": None,
        "longitude": None,
        "socials": [],
        "source": "manual",
        "external_id": "",
        "score": 60,
        "status": "new",
        "tags": [],
        "site_id": 3,
        "owner_id": None,
        "created_at": "2026-01-01T09:00:00Z",
        "updated_at": "2026-01-15T10:30:00Z",
    }


@dataclass(frozen=True, slots=True)
class LeadCreated(LeadEvent):
    """A lead was made."""

    type: ClassVar[str] = "lead.created"


@dataclass(frozen=True, slots=True)
class LeadUpdated(LeadEvent):
    """A lead was changed; `data` is as it is now."""

    type: ClassVar[str] = "lead.updated"


@dataclass(frozen=True, slots=True)
class LeadDeleted(LeadEvent):
    """A lead was deleted; `data` is as it was."""

    type: ClassVar[str] = "lead.deleted"


@dataclass(frozen=True, slots=True)
class EmailTemplateEvent(PublicEvent):
    """Something happened to an e-mail template."""

    serializer: ClassVar[str] = "leads.api.serializers.TemplateSerializer"
    path: ClassVar[str] = "email-templates"
    right: ClassVar[Permission] = Permission.VIEW_EMAIL_TEMPLATE
    example: ClassVar[JSON] = {
        "id": 4,
        "name": "First contact",
        "subject": "Hello {{ name }}",
        "html": "<p>Hello {{ name }}</p>",
        "created_at": "2026-01-01T09:00:00Z",
        "updated_at": "2026-01-15T10:30:00Z",
    }


@dataclass(frozen=True, slots=True)
class EmailTemplateCreated(EmailTemplateEvent):
    """An e-mail template was made."""

    type: ClassVar[str] = "email_template.created"


@dataclass(frozen=True, slots=True)
class EmailTemplateUpdated(EmailTemplateEvent):
    """An e-mail template was changed; `data` is as it is now."""

    type: ClassVar[str] = "email_template.updated"


@dataclass(frozen=True, slots=True)
class EmailTemplateDeleted(EmailTemplateEvent):
    """An e-mail template was deleted; `data` is as it was."""

    type: ClassVar[str] = "email_template.deleted"


EVENTS = (LeadCreated, LeadUpdated, LeadDeleted, EmailTemplateCreated, EmailTemplateUpdated, EmailTemplateDeleted)
