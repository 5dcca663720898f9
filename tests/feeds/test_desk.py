"""A desk survives refusals, overload and shutdown, and logs at most one line a minute."""

from __future__ import annotations

import pytest

from engine.commands import CancelAll, Marks
from engine.kinds import AccountKind
from engine.refusals import Refusal
from feeds.desk import Desk
from server.errors import Overloaded, ReadOnly, ShuttingDown
from tests.feeds.venue import Venue


def test_it_acts_for_its_account_and_says_that_it_was_accepted() -> None:
    venue = Venue()
    account = venue.open(AccountKind.USER, dollars=1)
    desk = Desk("noise", venue.submit, venue.wall.elapsed_us, account_id=account)
    assert desk.send(CancelAll("")) is None
    assert repr(desk) == f"Desk(noise, account {account}, 0 refused)"


def test_a_refusal_is_an_answer() -> None:
    venue = Venue()
    desk = Desk("marks", venue.submit, venue.wall.elapsed_us)
    assert desk.send(Marks((("NOPE", 1),))) is Refusal.UNKNOWN_SYMBOL
    assert desk.refused == 1


def test_overload_and_read_only_are_answers_too() -> None:
    venue = Venue()
    desk = Desk("marks", venue.submit, venue.wall.elapsed_us)
    for failure in (Overloaded(), ReadOnly()):
        venue.failure = failure
        assert desk.send(Marks(())) == failure.code
    assert (desk.refused, desk.closed) == (2, False)


def test_a_shutdown_closes_it_quietly(caplog: pytest.LogCaptureFixture) -> None:
    venue = Venue()
    venue.failure = ShuttingDown()
    desk = Desk("marks", venue.submit, venue.wall.elapsed_us)
    desk.send(Marks(()))
    assert desk.closed
    assert caplog.records == []


def test_refusals_make_one_line_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    venue = Venue()
    desk = Desk("marks", venue.submit, venue.wall.elapsed_us)
    for _ in range(121):
        desk.send(Marks((("NOPE", 1),)))
        venue.wall.pass_us(500_000)
    assert len(caplog.records) == 2
    assert caplog.messages[1] == (
        "marks: 120 commands refused since the last such line, the newest a Marks for the market: UNKNOWN_SYMBOL"
    )
