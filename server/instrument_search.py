"""Finds instruments by what people type: symbol, beginning of a word of the name, or either with a typo.

Ranked: the exact symbol, symbols that begin with the text, names that do, names with a word that does, symbols and names that
contain it, and last what is one or two edits away (a letter added, left out, wrong, or two swapped).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from engine.state import Instrument

EXACT, SYMBOL_PREFIX, NAME_PREFIX, WORD_PREFIX, CONTAINED, TYPO = range(6)
TYPO_LENGTH_MIN: Final = 3
"""Shorter texts are one edit away from nearly every symbol."""
TWO_EDITS_LENGTH_MIN: Final = 6

_WORDS: Final = re.compile(r"\w+")


def search(instruments: Iterable[Instrument], text: str, limit: int) -> list[Instrument]:
    """The best `limit` instruments for a text, best first; of the same rank by symbol."""
    wanted = text.strip().casefold()
    if not wanted:
        return []
    ranked = []
    rest = []
    for instrument in instruments:
        rank = _rank(instrument, wanted)
        if rank is None:
            rest.append(instrument)
        else:
            ranked.append((rank, 0, instrument.symbol, instrument))
    if len(ranked) < limit and len(wanted) >= TYPO_LENGTH_MIN:
        most = 2 if len(wanted) >= TWO_EDITS_LENGTH_MIN else 1
        for instrument in rest:
            distance = min(edits(wanted, term, most) for term in _terms(instrument, len(wanted)))
            if distance <= most:
                ranked.append((TYPO, distance, instrument.symbol, instrument))
    ranked.sort(key=lambda found: found[:3])
    return [found[3] for found in ranked[:limit]]


def _rank(instrument: Instrument, wanted: str) -> int | None:
    symbol, name = instrument.symbol.casefold(), instrument.name.casefold()
    if symbol == wanted:
        return EXACT
    if symbol.startswith(wanted):
        return SYMBOL_PREFIX
    if name.startswith(wanted):
        return NAME_PREFIX
    if any(word.startswith(wanted) for word in _WORDS.findall(name)):
        return WORD_PREFIX
    if wanted in symbol or wanted in name:
        return CONTAINED
    return None


def _terms(instrument: Instrument, length: int) -> list[str]:
    """What a text with a typo may have meant: the symbol, each word, and the beginning of each longer word."""
    words = _WORDS.findall(instrument.name.casefold())
    return [instrument.symbol.casefold(), *words, *(word[:length] for word in words if len(word) > length)]


def edits(one: str, other: str, most: int) -> int:
    """The edit distance with swaps of neighbours (optimal string alignment), or `most + 1` when it is greater."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        before, last, row = row, before, [i]
        for j, its in enumerate(other, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != its))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == its:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > most and (i == 1 or min(before) > most):
            return most + 1
    return min(row[-1], most + 1)
