"""People, as operators make them."""

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.utils.translation import gettext

from accounts.actors import system
from accounts.models import User
from ajansops.kit.actor import Actor
from ajansops.kit.errors import Conflict, Invalid
from ajansops.kit.events import changed, created, publish, snapshot


@transaction.atomic
def create_user(
    *, email: str, password: str | None = None, name: str = "", staff: bool = False, actor: Actor | None = None
) -> User:
    """Somebody vouches for the address. Raises `Conflict` for one that is taken, `Invalid` for what is none."""
    user = insert_user(email=email, password=password, name=name, staff=staff)
    publish(actor or system(), "user.created", user, created(user))
    return user


@transaction.atomic
def make_staff(user: User) -> None:
    """They may open the admin."""
    before = snapshot(user)
    user.is_staff = True
    user.save(update_fields=["is_staff"])
    publish(system(), "user.updated", user, changed(user, before))


def insert_user(*, email: str, password: str | None, name: str = "", staff: bool = False) -> User:
    """Without a line in the log: the caller, or the sign-up it is part of, tells."""
    try:
        with transaction.atomic():
            user = User.objects.create_user(email, password, name=name, is_staff=staff)
            EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
            return user
    except ValueError as error:
        raise Invalid(errors={"email": [gettext("The email must be a valid email address.")]}) from error
    except IntegrityError as error:
        raise Conflict(errors={"email": [gettext("This e-mail address is already taken.")]}) from error
