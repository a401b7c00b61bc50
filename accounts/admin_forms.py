"""Forms whose validation is the service itself: what it refuses stands beside the field it is about."""

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.models import ApiKey, Invitation
from accounts.services.api_keys import mint_api_key
from accounts.services.invitations import invite
from ajansops.kit.actor import Actor
from ajansops.kit.errors import DomainError


class ServiceForm(forms.ModelForm):
    """`make` is called once everything else is valid, in the page's transaction; `actor_in` is set by the page."""

    actor_in: ClassVar[Callable[[int], Actor]]

    def make(self, actor: Actor, fields: dict[str, Any]) -> Any:
        """The new row."""
        raise NotImplementedError

    def clean(self) -> dict[str, Any]:
        """Errors of the service as errors of the form."""
        fields: dict[str, Any] = super().clean() or {}
        workspace = fields.pop("workspace", None)
        if workspace is None or self.errors:
            return fields
        try:
            self.instance = self.make(type(self).actor_in(workspace.pk), fields)
        except DomainError as error:
            known = {name: texts for name, texts in error.errors.items() if name in self.fields}
            raise forms.ValidationError(known or [error.message]) from error
        return fields

    def _post_clean(self) -> None:
        """The service has validated and saved it."""

    def save(self, commit: bool = True) -> Any:
        """It is."""
        return self.instance

    def save_m2m(self) -> None:
        """The admin asks for it after saving."""


class InvitationForm(ServiceForm):
    """Whom, where and as what."""

    class Meta:
        model = Invitation
        fields = ("workspace", "email", "name", "role")

    def make(self, actor: Actor, fields: dict[str, Any]) -> Invitation:
        """With its mail."""
        return invite(actor, **fields)


class ApiKeyForm(ServiceForm):
    """A key; `raw` has it until the page has shown it."""

    scopes = forms.CharField(
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="Such as: posts:read posts:write. Empty for reading and writing what you do.",
    )
    raw = ""

    class Meta:
        model = ApiKey
        fields = ("workspace", "name", "scopes", "test", "expires_at")

    def make(self, actor: Actor, fields: dict[str, Any]) -> ApiKey:
        """Within the rights of whoever fills in the form."""
        scopes = fields.pop("scopes").replace(",", " ").split() or None
        row, self.raw = mint_api_key(actor, scopes=scopes, **fields)
        return row
