"""Reads of leads."""

from __future__ import annotations

from typing import Self

from django.db.models import Q

from ajansops.kit.tenancy import WorkspaceQuerySet


class LeadQuerySet(WorkspaceQuerySet):
    """Leads."""

    def search(self, text: str) -> Self:
        """By a part of the company's name, the contact, the website, an e-mail address or a phone number."""
        reached = self.model.objects.filter(identities__kind__in=["email", "phone"], identities__value__icontains=text)
        named = Q(company__icontains=text) | Q(contact__icontains=text) | Q(website__icontains=text)
        return self.filter(named | Q(pk__in=reached.values("pk")))
