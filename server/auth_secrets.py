"""Random secrets that are given out once and kept as hashes: refresh tokens and tokens of password resets.

Each kind begins with its own letters, so that logs can be searched for them and a leaked one says what it is.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

SECRET_BYTES: Final = 32
REFRESH: Final = "kerbr_"
RESET: Final = "kerbp_"


def new_secret(prefix: str) -> tuple[str, bytes]:
    """A secret and what is stored of it."""
    text = prefix + secrets.token_urlsafe(SECRET_BYTES)
    return text, hash_of(text)


def hash_of(text: str) -> bytes:
    """What is stored of a secret. It has 256 random bits, so a fast hash is enough."""
    return hashlib.sha256(text.encode("utf-8")).digest()
