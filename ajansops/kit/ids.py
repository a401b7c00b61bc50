"""Public identifiers."""

import secrets
import string

from ajansops.kit.clock import now

BASE36 = string.digits + string.ascii_lowercase
BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase


def random_text(length: int, alphabet: str = BASE62) -> str:
    """From the system's secure source; base 62 carries 5.95 bits a character, base 36 5.17."""
    return "".join(secrets.choice(alphabet) for _ in range(length))


def request_id() -> str:
    """`req_` and 95 bits."""
    return f"req_{random_text(16)}"


def job_id(kind: str, workspace_id: int) -> str:
    """`content_69_1758277165018_…`: kind, workspace, milliseconds, 82 random bits."""
    return f"{kind}_{workspace_id}_{int(now().timestamp() * 1000)}_{random_text(16, BASE36)}"
