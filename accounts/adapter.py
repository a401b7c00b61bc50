"""Our answers to what allauth asks: who may sign up, where people land, where a request comes from."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse
from django.utils.crypto import get_random_string
from django.utils.translation import gettext

from accounts.models import normal_email
from ajansops.api.client import client_ip


class AccountAdapter(DefaultAccountAdapter):
    """Addresses in their normal form, as the user model keeps them."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Invited people come in either way."""
        return settings.ENV.signup_open

    def clean_email(self, email: str) -> str:
        """Two spellings of one mailbox are one account."""
        try:
            return normal_email(super().clean_email(email))
        except ValueError as error:
            raise ValidationError(gettext("The email must be a valid email address.")) from error

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        """By any spelling of the address, and all spellings under one count of failures."""
        try:
            normal = {"email": normal_email(credentials["email"])} if "email" in credentials else {}
        except ValueError:
            normal = {}
        return super().authenticate(request, **credentials | normal)

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Never for somebody who may not sign in: an erased person's address would come back."""
        return bool(email_address.user.is_active and super().confirm_email(request, email_address))

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Staff work in the admin; everybody else begins at home."""
        staff: Any = getattr(request.user, "is_staff", False)
        return reverse("admin:index" if staff else "account_home")

    def get_signup_redirect_url(self, request: HttpRequest) -> str:
        """At home."""
        return reverse("account_home")

    def get_client_ip(self, request: HttpRequest) -> str:
        """As everybody counts: behind trusted proxies only what they say."""
        return client_ip(request)

    def send_account_already_exists_mail(self, email: str) -> None:
        """A sign-up with a taken address hashes no password, which takes a third of a second less: hash one here."""
        if not self.request.user.is_authenticated:
            make_password(get_random_string(12))
        super().send_account_already_exists_mail(email)
