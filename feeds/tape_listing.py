"""Lists the instrument of a recorded day that config does not name, so that any day can be replayed in a demo."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from config.catalogue_checks import CASH_UNIT
from config.records import Catalogue
from feeds.tape_file import TapeError
from feeds.trade_file import TradeFile

PRICE_SCALE: Final = 10_000
PENNY_TIMES: Final = 5
"""Below so many times the lowest price of the terms, an instrument gets terms of its own."""


def names(catalogue: Catalogue, symbol: str) -> bool:
    """Whether config lists the instrument."""
    return any(instrument.symbol == symbol for instrument in catalogue.instruments)


def with_listing(catalogue: Catalogue, file: TradeFile) -> Catalogue:
    """The catalogue with the tape's instrument, on the terms of the first one; its reference is its first trade's price.

    What trades near the lowest price of those terms may fall to a tick; its lot is then what a tick's price is worth
    a unit of cash for (config/catalogue_checks.py). Raises TapeError when the file has no trade.
    """
    symbol, terms = file.name.symbol, catalogue.instruments[0]
    price = first_price(file)
    listing = replace(
        terms, symbol=symbol, name=symbol, reference=max(price - price % terms.tick, terms.tick)
    )
    if price < PENNY_TIMES * terms.price_min:
        lot = max(terms.lot, CASH_UNIT / terms.tick)
        listing = replace(listing, price_min=terms.tick, lot=lot)
    return replace(catalogue, instruments=(*catalogue.instruments, listing))


def first_price(file: TradeFile) -> Decimal:
    """The price of the day's first trade. Raises TapeError when there is none."""
    for rows in file.chunks():
        if len(rows):
            return Decimal(int(rows.price_e4[0])) / PRICE_SCALE
    raise TapeError(f"{file.name.path.name}: holds no trade")
