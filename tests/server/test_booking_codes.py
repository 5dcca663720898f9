"""Codes of bookings: what was made here is read here, and whatever differs by anything is not."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from engine.units import DAY_US, SECOND_US
from server.booking_codes import CODE_FORM, BookingCodes, is_meant_as_code
from server.gate_secrets import GateSecrets

MASTER = "a-published-secret-of-gates-for-tests-0123456789"
CODES = BookingCodes(GateSecrets(MASTER).booking_key())
NOW_US = 1_700_000_000 * SECOND_US
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_="


def test_a_code_is_read_as_it_was_made() -> None:
    code, until_us = CODES.made(1_000_003, NOW_US)
    assert code == "KB1.1000003.1700086400.GZ5DDP4NNW4CZ3BSFYVLQBEOYA"  # as openssl dgst and base32 make it
    assert until_us == NOW_US + DAY_US
    assert CODES.read(code) == (1_000_003, until_us)
    assert is_meant_as_code(code)
    assert len(code) < 64


@given(st.integers(1, 2**63 - 1), st.integers(0, 2**52))
def test_every_booking_has_its_code(booking_id: int, now_us: int) -> None:
    code, until_us = CODES.made(booking_id, now_us)
    assert re.fullmatch(CODE_FORM, code)
    assert CODES.read(code) == (booking_id, until_us)
    assert now_us + DAY_US - SECOND_US < until_us <= now_us + DAY_US


def test_every_other_character_at_every_place_is_a_forgery() -> None:
    code, _ = CODES.made(1_000_003, NOW_US)
    forged = {code[:place] + other + code[place + 1 :] for place in range(len(code)) for other in ALPHABET}
    forged |= {code[:place] + code[place + 1 :] for place in range(len(code))}
    forged |= {code[:place] + other + code[place:] for place in range(len(code) + 1) for other in ALPHABET}
    forged -= {code}
    assert len(forged) > 3_000
    assert [each for each in forged if CODES.read(each) is not None] == []


def test_the_signature_of_another_code_or_key_is_no_use() -> None:
    code, _ = CODES.made(1_000_003, NOW_US)
    later, _ = CODES.made(1_000_003, NOW_US + SECOND_US)
    other, _ = CODES.made(2_000_006, NOW_US)
    for first, second in ((code, later), (later, code), (code, other), (other, code)):
        assert CODES.read(first.rpartition(".")[0] + second[-27:]) is None
    foreign = BookingCodes(GateSecrets(MASTER + "x").booking_key())
    assert foreign.read(code) is None
    assert CODES.read(foreign.made(1_000_003, NOW_US)[0]) is None


def test_what_is_hostile_is_not_read() -> None:
    code, _ = CODES.made(1_000_003, NOW_US)
    for text in (
        "",
        "KB1.",
        code.lower(),
        code + "\n",
        f" {code}",
        code.replace("1", "١"),
        "KB1." + "9" * 4_000,
        "\x00",
    ):
        assert CODES.read(text) is None
    assert not is_meant_as_code("KB1.short-printed-code")
    assert "1000003" not in repr(CODES)


def test_the_key_of_codes_is_no_gates_secret() -> None:
    secrets = GateSecrets(MASTER)
    key = secrets.booking_key()
    assert len(key) == 32
    assert key not in {secrets.secret(gate, version) for gate in ("", "in", "s 1") for version in range(4)}
