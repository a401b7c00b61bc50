"""Keys for one purpose each, derived from ENCRYPTION_KEYS, so that a key for one thing opens nothing else; and what is
kept encrypted with them.
"""

import hashlib
import secrets
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

ID, NONCE = 8, 12  # bytes in front of what is encrypted


@dataclass(frozen=True, slots=True)
class DerivedKey:
    """`id` names the key without telling anything about it."""

    id: str
    secret: bytes


def derived_keys(purpose: str) -> list[DerivedKey]:
    """256 bits from each encryption key, newest first: make with the first, accept all of them."""
    return [_derive(key.encode(), purpose) for key in settings.ENV.encryption_keys]


def encrypt(purpose: str, data: bytes) -> bytes:
    """AES-256-GCM with the newest key: its id, a nonce, the rest. What was made for one purpose opens for no other."""
    key, nonce = derived_keys(purpose)[0], secrets.token_bytes(NONCE)
    return key.id.encode() + nonce + AESGCM(key.secret).encrypt(nonce, data, None)


def decrypt(purpose: str, data: bytes) -> bytes:
    """Raises ValueError for what none of the keys has made, or somebody has changed."""
    name, nonce, sealed = data[:ID].decode("ascii", "replace"), data[ID : ID + NONCE], data[ID + NONCE :]
    key = next((known for known in derived_keys(purpose) if known.id == name), None)
    if key is None:
        raise ValueError("It was encrypted with a key that is not among ENCRYPTION_KEYS.")
    try:
        return AESGCM(key.secret).decrypt(nonce, sealed, None)
    except InvalidTag as error:
        raise ValueError("It is not what was encrypted.") from error


@lru_cache(maxsize=256)
def _derive(key: bytes, purpose: str) -> DerivedKey:
    secret = HKDF(SHA256(), 32, salt=None, info=f"ajansops {purpose}".encode()).derive(key)
    return DerivedKey(hashlib.sha256(secret).hexdigest()[:8], secret)
