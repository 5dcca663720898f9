"""What the clients of tests/torture/stream_clients.py are told to do, what they note, and what they answer."""

from __future__ import annotations

from array import array
from collections import Counter
from typing import Final

from msgspec import Struct

from bench.figures import percentile

PRIVATE: Final = ("orders", "balance")
FAULTS_KEPT: Final = 10
SLOW_CONSUMER: Final = 4408


class Open(Struct, tag="open", tag_field="do"):
    """Connect `each` followers for each token, and `watchers`, to a port of this machine; all get all symbols.

    `receive_bytes`: the receive buffer of the first `small` followers, those that are to stall; 0: what the kernel gives.
    """

    port: int
    tokens: list[str]
    each: int
    watchers: int
    symbols: list[str]
    interval_ms: int = 250
    receive_bytes: int = 0
    small: int = 0
    core: int = -1


class Stall(Struct, tag="stall", tag_field="do"):
    """The first `count` followers stop reading: one of each token, then the second of each, and so on."""

    count: int


class Wake(Struct, tag="wake", tag_field="do"):
    """Those read on, find that they were closed, and come back; answered when all have."""


class Drop(Struct, tag="drop", tag_field="do"):
    """All followers end their connections at once and come back within `over_s`; answered when all have."""

    over_s: float


class Ask(Struct, tag="ask", tag_field="do"):
    """Say what was seen. Frames and ages are those since the last time that they began anew."""

    anew: bool = True


class Dump(Struct, tag="dump", tag_field="do"):
    """Write what each follower was told into a file: a list of `Noted` as msgpack."""

    file: str


Command = Open | Stall | Wake | Drop | Ask | Dump


class Report(Struct):
    """What all clients saw. `closes`: how often connections ended, by the server's code; 0 without one.

    `told` counts the private events that stand in the notes; `broken` are those that do not join the one before.
    """

    told: int = 0
    frames: int = 0
    size: int = 0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    max_ms: float = 0.0
    closes_stalled: dict[int, int] = {}
    closes_others: dict[int, int] = {}
    resumed: int = 0
    broken: int = 0
    faults: list[str] = []


class Noted(Struct, array_like=True):
    """What one follower was told of one channel: from after `start` on the sequence of each event and the CRC-32 of its data."""

    account: int
    channel: str
    start: int
    seqs: bytes
    digests: bytes


class Channel:
    """One follower's notes of one channel. `known`: up to there the follower knows everything (-1: not subscribed yet)."""

    __slots__ = ("digests", "known", "last", "seqs", "start")

    def __init__(self) -> None:
        self.start = self.known = self.last = -1
        self.seqs = array("Q")
        self.digests = array("I")

    def subscribed(self, seq: int) -> bool:
        """The server's word on where the stream goes on. False when that is not what was asked for."""
        if self.known < 0:
            self.start = self.known = seq
        return seq == self.known

    def take(self, seq: int, prev_seq: int, more: bool, digest: int) -> bool:
        """Note an event. False when it does not join what is known."""
        joins = prev_seq == self.last if self.last >= 0 else prev_seq <= self.start < seq
        self.last = seq
        self.seqs.append(seq)
        self.digests.append(digest)
        if not more:
            self.known = seq
        return joins

    def forget_half(self) -> int:
        """Forget the events of a record whose last one has not come; how many there were."""
        before = len(self.seqs)
        while self.seqs and self.seqs[-1] > self.known:
            self.seqs.pop()
            self.digests.pop()
        self.last = self.seqs[-1] if self.seqs else -1
        return before - len(self.seqs)


class Tally:
    """What all clients of this process saw."""

    def __init__(self) -> None:
        self.told = self.frames = self.size = self.resumed = self.broken = 0
        self.ages_ms: list[float] = []
        self.closes: dict[bool, Counter[int]] = {True: Counter(), False: Counter()}
        self.faults: list[str] = []

    def fault(self, text: str) -> None:
        """Remember that something was not as it must be."""
        if len(self.faults) < FAULTS_KEPT:
            self.faults.append(text)

    def report(self, *, anew: bool) -> Report:
        """What there is to say; frames and ages begin anew when they shall."""
        ages = sorted(self.ages_ms) or [0.0]
        report = Report(
            self.told,
            self.frames,
            self.size,
            percentile(ages, 0.5),
            percentile(ages, 0.99),
            ages[-1],
            dict(self.closes[True]),
            dict(self.closes[False]),
            self.resumed,
            self.broken,
            self.faults,
        )
        if anew:
            self.frames, self.size, self.ages_ms = 0, 0, []
        return report
