"""Ids, keys, pages and times as clients send them."""

from __future__ import annotations

import pytest
from multidict import CIMultiDict

from handlers.request_input import (
    LIMIT_DEFAULT,
    idempotency_key,
    read_cursor,
    read_id,
    read_limit,
    read_page,
    read_text,
    read_time_us,
)
from server.errors import BadRequest, NotFound


def test_an_id_has_its_prefix_and_a_number() -> None:
    assert read_id("ord_5121", "ord_") == 5_121


@pytest.mark.parametrize(
    "text", ["", "5121", "ord_", "ord_0", "ord_-1", "ord_01", "ord_1 ", "txn_1", "ord_9223372036854775808", "ord_１", "ord_1\0", "ord_" + "9" * 99]
)  # fmt: skip
def test_what_is_no_id_does_not_exist(text: str) -> None:
    with pytest.raises(NotFound):
        read_id(text, "ord_")


def sent(*headers: tuple[str, str]) -> CIMultiDict[str]:
    return CIMultiDict(headers)


def test_both_spellings_of_the_key_header() -> None:
    ours, plain = "X-Idempotency-Key", "Idempotency-Key"
    assert idempotency_key(sent()) == ""
    assert idempotency_key(sent((ours, "a"))) == "a"
    assert idempotency_key(sent((plain, "b"))) == "b"
    assert idempotency_key(sent((ours, "a"), (plain, "a"))) == "a"
    assert idempotency_key(sent((ours.lower(), "a"), (ours.upper(), "a"))) == "a"


@pytest.mark.parametrize("key", ["", " ", "a b", "é", "x" * 129, "a\tb"])
def test_a_key_is_short_printable_ascii(key: str) -> None:
    with pytest.raises(BadRequest):
        idempotency_key(sent(("X-Idempotency-Key", key)))


@pytest.mark.parametrize("first", ["X-Idempotency-Key", "Idempotency-Key"])
@pytest.mark.parametrize("second", ["X-Idempotency-Key", "Idempotency-Key"])
def test_two_different_keys_are_refused(first: str, second: str) -> None:
    for keys in (("a", "b"), ("a", ""), ("a", "a", "b")):
        with pytest.raises(BadRequest):
            idempotency_key(sent((first, keys[0]), *((second, key) for key in keys[1:])))


def test_pages() -> None:
    assert read_limit({}) == LIMIT_DEFAULT
    assert read_limit({"limit": "500"}) == 500
    assert read_page({"page": "3"}) == 3
    assert read_cursor({}) is None


@pytest.mark.parametrize("text", ["0", "-1", "501", "x", "", "1.5", "1e2", "９", "99999999999999999999"])
def test_a_wrong_limit_is_named(text: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read_limit({"limit": text})
    assert refused.value.field == "limit"


def test_dates_are_utc_and_an_end_includes_its_day() -> None:
    assert read_time_us({"d": "1970-01-02"}, "d") == 86_400_000_000
    assert read_time_us({"d": "1970-01-02"}, "d", end_of_day=True) == 2 * 86_400_000_000
    assert read_time_us({"d": "1970-01-01T01:00:00.000001+01:00"}, "d") == 1
    assert read_time_us({}, "d") is None


@pytest.mark.parametrize("text", ["", "yesterday", "2025-13-01", "2025-01-01T00:00:00", "0001-01-01", "9999-12-31T23:59:59Z", "2025-1-1"])  # fmt: skip
def test_a_wrong_time_is_named(text: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read_time_us({"from_date": text}, "from_date")
    assert refused.value.field == "from_date"


def test_text_is_printable_and_bounded() -> None:
    assert read_text({"q": "apple"}, "q", most=5) == "apple"
    for text in ("", "toolong", "a\0", "\ud800"):
        with pytest.raises(BadRequest):
            read_text({"q": text}, "q", most=5)
