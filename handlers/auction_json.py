"""What an auction would do if its call ended now, as clients see it."""

from __future__ import annotations

from msgspec import Struct

from engine.calendars import CALLS
from engine.kinds import Side
from handlers.field_types import SideName
from handlers.numbers import NULL, Number, NumberOrNull, cash, quantity
from server.symbol_view import SymbolView


class AuctionJson(Struct, frozen=True):
    """An auction's indication, made each second of its call. Where nothing would trade `indicative_price` is null.

    `imbalance` is what would be left over of `imbalance_side` at that price; null when both sides are even.
    """

    indicative_price: NumberOrNull
    paired_volume: Number
    imbalance: Number
    imbalance_side: SideName | None


def auction_json(view: SymbolView) -> AuctionJson | None:
    """The indication of a book in a call; None in any other phase."""
    if view.phase not in CALLS:
        return None
    price_e4, volume_e8, imbalance_e8 = view.auction
    side = Side.BUY if imbalance_e8 > 0 else Side.SELL
    return AuctionJson(
        indicative_price=cash(price_e4) if price_e4 else NULL,
        paired_volume=quantity(volume_e8),
        imbalance=quantity(abs(imbalance_e8)),
        imbalance_side=side.name if imbalance_e8 else None,
    )
