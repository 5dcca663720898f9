"""Indices: levels made from the prices of listed instruments, in exact integers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

from msgspec import Struct

from config.records import IndexConfig, Weighting
from engine.units import index_level_e4

SCALE_E4: Final = Decimal(10_000)


class Index(Struct, frozen=True):
    """An index. `constituents` are (symbol, units): what a price counts for."""

    symbol: str
    name: str
    weighting: Weighting
    base_level_e4: int
    base_value_e4: int
    constituents: tuple[tuple[str, int], ...]

    def level_e4(self, price_e4: Callable[[str], int]) -> int:
        """Where it stands at these prices; 0 when one of them is not known yet."""
        value_e4 = 0
        for symbol, units in self.constituents:
            price = price_e4(symbol)
            if not price:
                return 0
            value_e4 += price * units
        return index_level_e4(self.base_level_e4, value_e4, self.base_value_e4)


def indices_of(configs: Sequence[IndexConfig]) -> tuple[Index, ...]:
    """The configured indices in the engine's units; config/catalogue_checks.py has seen that they fit."""
    return tuple(
        Index(
            config.symbol,
            config.name,
            config.weighting,
            int(config.base_level * SCALE_E4),
            int(config.base_value * SCALE_E4),
            tuple((constituent.symbol, constituent.units) for constituent in config.constituents),
        )
        for config in configs
    )
