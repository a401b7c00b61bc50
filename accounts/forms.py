"""Forms of the account pages, where allauth's own do not do."""

from typing import Any

from allauth.account.forms import LoginForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm, EditWebAuthnForm
from django import forms
from django.contrib.auth import password_validation
from django.utils.translation import gettext_lazy as _

from accounts.models import User, normal_email


class SignInForm(LoginForm):
    """By any spelling of the address: what allauth asks later of the address, it asks of the normal one."""

    def clean_login(self) -> str:
        """What is no address goes on as it is, to be refused as any wrong one."""
        login: str = super().clean_login()
        try:
            return normal_email(login)
        except ValueError:
            return login


class AddPasskeyForm(AddWebAuthnForm):
    """A passkey unless one says otherwise: the key alone signs in. The name has a label that is translated."""

    name = forms.CharField(label=_("Name"), required=False, max_length=100)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["passwordless"].initial = True


class RenamePasskeyForm(EditWebAuthnForm):
    """With a label that is translated."""

    name = forms.CharField(label=_("Name"), max_length=100)


class NewMemberForm(forms.Form):
    """Name and password of an invited person; the address is the invitation's, and not theirs to choose."""

    name = forms.CharField(label=_("Your name"), max_length=255, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    password = forms.CharField(
        label=_("Password"), strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email
        self.fields["password"].help_text = password_validation.password_validators_help_text_html()

    def clean(self) -> dict[str, Any]:
        """Django's validators, beside the field: they compare with the address and the name."""
        data = super().clean() or {}
        if password := data.get("password"):
            try:
                password_validation.validate_password(password, User(email=self.email, name=data.get("name", "")))
            except forms.ValidationError as error:
                self.add_error("password", error)
        return data
