"""Public identifiers."""

import random
import secrets
import string

from ajansops.kit.clock import now

_IDS = random.Random(secrets.randbits(256))  # noqa: S311  # for what must differ and may be guessed
BASE36 = string.digits + string.ascii_lowercase
BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase


def random_text(length: int, alphabet: str = BASE62) -> str:
    """From the system's secure source; base 62 carries 5.95 bits a character, base 36 5.17."""
    return "".join(secrets.choice(alphabet) for _ in range(length))


def request_id() -> str:
    """`req_` and 96 bits: nobody's like it, and no secret, so without a system call."""
    return f"req_{_IDS.getrandbits(96):024x}"


def job_id(kind: str, workspace_id: int) -> str:
    """`content_69_1758277165018_…`: kind, workspace, milliseconds, 82 random bits."""
    return f"{kind}_{workspace_id}_{int(now().timestamp() * 1000)}_{random_text(16, BASE36)}"
