"""A key that was given out before an upgrade means the same call after it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from engine.commands import (
    AnyCommand,
    CancelAll,
    CancelOrder,
    Deposit,
    PlaceOrder,
    ReplaceOrder,
    RequestWithdrawal,
)
from engine.kinds import OrderClass, OrderType, Side, TimeInForce
from engine.parking.booking_commands import CancelBooking
from engine.terms import Leg, Terms
from handlers.command_digest import digest

PLAIN = PlaceOrder("AAPL", Side.BUY, OrderType.LIMIT, 10 * 10**8, 1_755_000, TimeInForce.DAY, "mine")


@pytest.mark.parametrize(
    ("command", "before"),
    [
        (PLAIN, "d85cb9b51c8b6840f0c035823c1dfcd9"),
        (ReplaceOrder(7, 0, 25_000), "d19bd8dac5289becd61abe015d3207c8"),
        (CancelOrder(5), "4fdaf57a1b5389c117425e5af9bc7495"),
        (CancelAll("AAPL"), "83cb7c4a17a749f566e679e5b47b653e"),
        (Deposit(10_000, "CARD"), "a49a95ed53915f23fcfc76bca865513f"),
        (CancelBooking(5), "566c385332f19e5a838103c98ad1b1b2"),
        (RequestWithdrawal(10_000), "e79704f4486834c450e669b7ea232f70"),
    ],
)
def test_a_command_of_before_there_were_terms_has_the_digest_of_then(
    command: AnyCommand, before: str
) -> None:
    assert digest(command).hex() == before


def test_every_term_changes_the_digest() -> None:
    others = [
        replace(PLAIN, terms=Terms(stop_e4=1)),
        replace(PLAIN, terms=Terms(stop_e4=2)),
        replace(PLAIN, terms=Terms(lots=((1, 192),))),
        replace(PLAIN, order_class=OrderClass.OCO),
        replace(PLAIN, legs=(Leg(OrderType.STOP_LOSS, stop_e4=1),)),
    ]
    assert len({digest(each) for each in [PLAIN, *others]}) == len(others) + 1
