"""A key of the attack on duplicates: its bodies, what they were answered, and what an answer must be.

A key has one effect: of all answers one at most is no repetition, all are the same, and another body is refused.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from engine.units import IDS_PER_SEQ
from tests.torture.raw_clients import Said

SYMBOL: Final = "AAPL"
PRICE: Final = "227.50"
REUSED: Final = "IDEMPOTENCY_KEY_REUSED"
NOT_TAKEN: Final = (429, 503)
_ID: Final = re.compile(rb'"(?:order_id|transaction_id)":"(?:ord|txn|wdr)_(\d+)"')


@dataclass(eq=False, slots=True)
class Keyed:
    """One key, and the two bodies that may come with it. `said`: what each of them was answered, all but REUSED.

    `path` is '' for an order. `bodies[1]` is sent with the path `other_path`. `races`: both bodies are in the storm.
    `is_settled`: it was answered before the last restart, so that it is done and every answer from now on is a hit.
    """

    user: int
    key: str
    path: str
    other_path: str
    bodies: tuple[bytes, bytes]
    races: bool
    said: list[Said | None] = field(default_factory=lambda: [None, None])
    reused: list[bool] = field(default_factory=lambda: [False, False])
    fresh: int = 0
    seq: int = 0
    is_settled: bool = False


@dataclass
class Tally:
    """What was sent and answered. `sent` - `keys` are duplicates; `altered` those with another body."""

    keys: int = 0
    sent: int = 0
    answered: int = 0
    hits: int = 0
    altered: int = 0
    lost: int = 0
    not_taken: int = 0
    over_socket: int = 0

    @property
    def duplicates(self) -> int:
        """Requests that were not the first with their key."""
        return self.sent - self.keys

    @property
    def seen(self) -> Counter[str]:
        """The counts for the summary."""
        return Counter(
            {
                "duplicates": self.duplicates,
                "keys": self.keys,
                "hits": self.hits,
                "altered refused": self.altered,
                "lost in a crash": self.lost,
                "crashes": 1,
            }
        )

    def __str__(self) -> str:
        return (
            f"{self.keys} keys, {self.duplicates} duplicates ({self.over_socket} of all over WebSocket): {self.answered} answered, "
            f"{self.hits} as hits, {self.altered} altered refused, {self.lost} lost in the crash, {self.not_taken} not taken"
        )


Copy = tuple[Keyed, int]
"""A key, and which of its bodies."""


def take(copies: Sequence[Copy], answers: Sequence[Said], tally: Tally) -> bool:
    """Take the answers to requests that were sent together; False when the server was gone before the last of them."""
    for copy, said in zip(copies, answers, strict=False):
        heard(copy, said, tally)
    tally.lost += len(copies) - len(answers)
    return len(answers) == len(copies)


def heard(copy: Copy, said: Said, tally: Tally) -> None:
    """Take an answer. Raises AssertionError when it is not what the key was answered before."""
    keyed, which = copy
    tally.answered += 1
    if said.status in NOT_TAKEN:
        tally.not_taken += 1
        return
    if said.code == REUSED:
        tally.altered += 1
        assert said.status in (0, 422), f"{keyed.key}: {said}"
        assert which == 1 or keyed.races, f"{keyed.key} was refused for its own body: {keyed}"
        assert keyed.said[which] is None, f"{keyed.key} was answered {keyed.said[which]}, then {said}"
        keyed.reused[which] = True
        return
    tally.hits += said.hit
    keyed.fresh += not said.hit
    once = keyed.fresh <= 1 and (said.hit or not keyed.is_settled)
    assert once, f"{keyed.key} was done a second time: {said}, before {keyed.said[which]}"
    assert not keyed.reused[which], f"{keyed.key} was refused for another body, then answered {said}"
    assert keyed.said[1 - which] is None, f"both bodies of {keyed.key} were done: {keyed.said}, {said}"
    first = keyed.said[which]
    if first is None:
        keyed.said[which] = said
    else:
        same = (first.ok, first.text) == (said.ok, said.text)
        assert same, f"{keyed.key} was answered\n{first}\nand then\n{said}"
    if said.seq:
        assert keyed.seq in (0, said.seq), f"{keyed.key} was answered as of {keyed.seq}, then {said}"
        keyed.seq = said.seq
    if said.ok:
        found = _ID.search(said.text)
        assert found is not None, said
        assert not keyed.seq or int(found[1]) // IDS_PER_SEQ == keyed.seq, f"{keyed.key}: {said}"


def shuffled(made: Iterable[Keyed], times: int, random: Random) -> list[Copy]:
    """Each key so many times, with both bodies where they race, in any order."""
    copies = [(keyed, 0) for keyed in made for _ in range(times)]
    copies += [(keyed, 1) for keyed in made if keyed.races for _ in range(times)]
    random.shuffle(copies)
    return copies


def check_one_winner(made: Iterable[Keyed]) -> None:
    """Of each key one body was answered and the other refused."""
    for keyed in made:
        done = [which for which in (0, 1) if keyed.said[which] is not None]
        refused = [which for which in (0, 1) if keyed.reused[which]]
        assert (len(done), refused) == (1, [1 - done[0]]), f"{keyed.key}: {keyed}"


def paid_in(keyed: Keyed) -> bool:
    """Whether what won was a deposit."""
    for which, path in enumerate((keyed.path, keyed.other_path)):
        said = keyed.said[which]
        if said is not None:
            return said.ok and path == "/wallet/deposit"
    return False


def order(fate: int, cents: int) -> bytes:
    """An order that ends at once (0-2), trades (3, 4), rests (5, 6), or costs more than anybody has (7)."""
    price, tif = PRICE, b"GTC"
    quantity = f"{1 + cents % 5_000 / 10_000:.4f}"
    if fate < 3:
        price, tif = "210.00", b"IOC"
    elif fate in (5, 6):
        price = "211.00"
    elif fate == 7:
        quantity = f"{400_000 + cents % 50_000}"
    return (
        b'{"stock_symbol":"%b","side":"BUY","order_type":"LIMIT","quantity":%b,"price":%b,"time_in_force":"%b"}'
        % (SYMBOL.encode(), quantity.encode(), price.encode(), tif)
    )


def deposit(cents: int) -> bytes:
    """A body."""
    return b'{"amount":"%d.%02d","payment_method":"CARD"}' % divmod(cents, 100)


def withdrawal(cents: int) -> bytes:
    """A body."""
    return b'{"amount":"%d.%02d"}' % divmod(cents, 100)
