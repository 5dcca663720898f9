"""What a password must be: long enough, not endless, and not one that everybody tries first (NIST SP 800-63B, 5.1.1.2)."""

from __future__ import annotations

from typing import Final

from server.errors import WeakPassword

LENGTH_MIN: Final = 8
LENGTH_MAX: Final = 128

COMMON: Final = frozenset(
    [
        "password",
        "password1",
        "password12",
        "password123",
        "password1234",
        "passw0rd",
        "p@ssword",
        "p@ssw0rd",
        "12345678",
        "123456789",
        "1234567890",
        "0123456789",
        "87654321",
        "987654321",
        "0987654321",
        "11111111",
        "00000000",
        "22222222",
        "88888888",
        "99999999",
        "12341234",
        "11223344",
        "12344321",
        "123123123",
        "123321123",
        "147258369",
        "789456123",
        "qwertyui",
        "qwertyuiop",
        "qwerty12",
        "qwerty123",
        "qwerty1234",
        "1q2w3e4r",
        "1q2w3e4r5t",
        "1qaz2wsx",
        "qazwsxedc",
        "zaq12wsx",
        "asdfghjk",
        "asdfghjkl",
        "zxcvbnm1",
        "zxcvbnm123",
        "q1w2e3r4",
        "abcd1234",
        "abc12345",
        "abcdefgh",
        "a1b2c3d4",
        "aa123456",
        "iloveyou",
        "iloveyou1",
        "sunshine",
        "princess",
        "football",
        "baseball",
        "basketball",
        "superman",
        "batman123",
        "trustno1",
        "whatever",
        "starwars",
        "computer",
        "michelle",
        "jennifer",
        "corvette",
        "mercedes",
        "maverick",
        "midnight",
        "butterfly",
        "chocolate",
        "liverpool",
        "chelsea1",
        "letmein1",
        "letmein123",
        "welcome1",
        "welcome123",
        "admin123",
        "admin1234",
        "administrator",
        "changeme",
        "changeme1",
        "default1",
        "testtest",
        "test1234",
        "test12345",
        "secret123",
        "master123",
        "monkey123",
        "dragon123",
        "shadow123",
        "freedom1",
        "internet",
        "samsung1",
        "google123",
        "trading1",
        "trader123",
        "invest123",
        "money123",
        "bitcoin1",
        "stocks123",
    ]
)
"""Lower case; what is shorter than the minimum need not be listed."""


def check_password(password: str, email: str) -> None:
    """Raises WeakPassword. The border has checked the length."""
    folded = password.casefold()
    if folded in COMMON or len(set(folded)) < 3:
        raise WeakPassword("is one of those that are tried first")
    local, _, _ = email.casefold().partition("@")
    if folded in (email.casefold(), local):
        raise WeakPassword("is the e-mail address")
