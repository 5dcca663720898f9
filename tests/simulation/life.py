"""A seeded life of Kerb: it starts on a disk and a database, trades, dies at every moment that matters, and starts again.

A generation is one process. Every sync of its journal, and some other calls, is a moment at which it may die: then copies are made of
what the next process would find. Each of those is a generation of its own, which has to find everything that was ever told.
"""

from __future__ import annotations

from collections import Counter
from hashlib import blake2b
from random import Random
from typing import Final

from tests.server.ledger_world import START_US
from tests.simulation.generation import Generation, Moment, Troubles
from tests.simulation.genesis import Genesis, History
from tests.simulation.lying_disk import Crash, LyingDisk
from tests.simulation.postgres_double import PostgresDouble

LONG_TURNS: Final = 30
LONG_GENERATIONS: Final = 4
FAILOVER_SHARE: Final = 0.05
"""How often the database that is found is an older one, of a replica that was behind."""

SECOND_CRASH_SHARE: Final = 0.1
"""How many of those that have just recovered die again at a moment of that."""


class Life:
    """One seed. `trace` is a digest of everything that happened in it, in order; `seen` counts it."""

    def __init__(self, seed: int | str, *, with_readers: bool = False) -> None:
        self.seed = seed
        self.random = Random(seed)
        self.with_readers = with_readers
        self.shuffled = self.random.random() < 0.5
        self.prunes = self.random.random() < 0.3
        self.genesis = Genesis()
        self.seen: Counter[str] = Counter()
        self._trace = blake2b(digest_size=12)

    def __repr__(self) -> str:
        return f"<Life {self.seed}: {self.seen['crashes']} crashes>"

    @property
    def trace(self) -> str:
        """Equal for two runs of one seed."""
        return self._trace.hexdigest()

    def note(self, text: str) -> None:
        """Something has happened."""
        self._trace.update(text.encode() + b"\n")

    def run(self, crashes: int) -> None:
        """Live until there were at least so many crashes. Raises AssertionError with the seed when something must not be."""
        try:
            moment = self._birth()
            while self.seen["crashes"] < crashes:
                for _ in range(LONG_GENERATIONS):
                    moment = self._live_on(moment)
                    if self.seen["crashes"] >= crashes:
                        break
                moment = self._birth()
        except Exception as error:
            error.add_note(f"life {self.seed!r}, after {self.seen['crashes']} crashes")
            raise

    def _birth(self) -> Moment:
        """An empty disk and an empty database."""
        self.genesis = Genesis()
        disk = LyingDisk(self.random.choice((512, 4_096)), self.random)
        return Moment(disk, PostgresDouble(), 0, Crash.POWER, "birth", History(), START_US)

    def _live_on(self, found: Moment) -> Moment:
        """One generation that trades, all its deaths, and the moment from which the next one goes on."""
        self.genesis.learn(found.history)
        alive = self._generation(found, LONG_TURNS)
        self.genesis.learn(alive.history)
        next_from = self.random.randrange(len(alive.moments))
        chosen: Moment | None = None
        for place, moment in enumerate(alive.moments):
            if not self.prunes and self.random.random() < FAILOVER_SHARE:
                self._fail_over(moment, alive.moments[: place + 1])
            again = self._generation(moment, self.random.choice((0, 1, 2)))
            self.seen["crashes"] += 1
            self.seen[moment.crash.name] += 1
            if len(again.moments) > 1 and self.random.random() < SECOND_CRASH_SHARE:
                self._second_crash(again, self.random.choice(again.moments[:-1]))
            if place == next_from:
                chosen = again.moments[-1]
            elif moment.crash is Crash.KILL:  # what it believed of the cache must be on the device by now
                self._second_crash(again, again.moments[-1])
        assert chosen is not None
        return chosen

    def _fail_over(self, moment: Moment, earlier: list[Moment]) -> None:
        """The database has lost its last batches; the journal still has them."""
        older = self.random.choice(earlier).tables
        if older["journal_position"]:
            moment.postgres.tables = dict(older)
            self.seen["databases that went back"] += 1

    def _second_crash(self, again: Generation, moment: Moment) -> None:
        """A crash of a generation that was itself recovering from one."""
        self.genesis.learn(again.history)
        self._generation(moment, 1)
        self.seen["crashes"] += 1
        self.seen["crashes soon after a crash"] += 1

    def _generation(self, found: Moment, turns: int) -> Generation:
        generation = Generation(
            found,
            Random(self.random.getrandbits(64)),
            self.genesis,
            self.note,
            turns=turns,
            shuffled=self.shuffled,
            with_readers=self.with_readers,
            prunes=self.prunes,
            troubles=Troubles(self.random) if turns == LONG_TURNS else None,
        )
        self.note(f"generation of {turns} from {found.crash.name} {found.what}, told {found.told_seq}")
        generation.run()
        self.seen += generation.seen
        return generation
