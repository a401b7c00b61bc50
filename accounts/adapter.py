"""Our answers to what allauth asks: who may sign up, where people land, where a request comes from."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest
from django.urls import reverse
from django.utils.crypto import get_random_string

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
            raise self.validation_error("invalid_email") from error

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
