"""Words for people. The role table itself knows none."""

from django.utils.translation import gettext

from accounts.roles import Role


def role_label(role: str) -> str:
    """In the language of the page or the mail."""
    labels = {
        Role.OWNER: gettext("Owner"),
        Role.ADMIN: gettext("Administrator"),
        Role.EDITOR: gettext("Editor"),
        Role.VIEWER: gettext("Viewer"),
    }
    return labels[Role(role)]
