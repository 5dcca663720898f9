"""The code of a booking, as its QR shows it: signed, and good for a day. Source: docs/parking.md, "Codes".

`KB1.<number of the booking>.<second of its end>.<signature>`: the signature is the first 16 bytes of HMAC-SHA256 of all before
its dot, in base 32. All of it is of the alphabet that makes the smallest QR codes (ISO/IEC 18004, alphanumeric mode).
What is compared is the text, so a code has one spelling.
"""

from __future__ import annotations

import hmac
import re
from base64 import b32encode
from hashlib import sha256
from typing import Final

from engine.parking.codes import CODE_MAX
from engine.units import DAY_US, SECOND_US

PREFIX: Final = "KB1."
"""The version of the format and of the key's label."""

GOOD_US: Final = DAY_US

CODE_FORM: Final = r"KB1\.[1-9][0-9]{0,18}\.[1-9][0-9]{0,11}\.[A-Z2-7]{26}"
_FORM: Final = re.compile(CODE_FORM)
_SIGNATURE_BYTES: Final = 16


def is_meant_as_code(text: str) -> bool:
    """Whether a scanned code is to be one of a booking's. Printed codes are shorter (engine/parking/codes.py)."""
    return text.startswith(PREFIX) and len(text) > CODE_MAX


class BookingCodes:
    """Makes and reads codes with the key of `GateSecrets.booking_key`."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __repr__(self) -> str:
        return "<BookingCodes>"

    def made(self, booking_id: int, now_us: int) -> tuple[str, int]:
        """A code that is good from now on for a day, and when it ends, in microseconds."""
        until_s = (now_us + GOOD_US) // SECOND_US
        return self._signed(f"{PREFIX}{booking_id}.{until_s}"), until_s * SECOND_US

    def read(self, text: str) -> tuple[int, int] | None:
        """The booking of a code and when the code ends, in microseconds; None for one that was not made here."""
        if _FORM.fullmatch(text) is None:
            return None
        body = text.rpartition(".")[0]
        if not hmac.compare_digest(self._signed(body), text):
            return None
        _, booking_id, until_s = body.split(".")
        return int(booking_id), int(until_s) * SECOND_US

    def _signed(self, body: str) -> str:
        signature = hmac.digest(self._key, body.encode("ascii"), sha256)[:_SIGNATURE_BYTES]
        return f"{body}.{b32encode(signature).decode('ascii').rstrip('=')}"
