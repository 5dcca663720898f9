"""Journals of engine version 1, whose trades do not say which lots they sold, are replayed; any other difference is not."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from msgspec.structs import replace

from engine.apply import apply
from engine.commands import AnyCommand, BustTrade
from engine.events import AnyEvent, Traded
from engine.state import State
from engine.state_hash import state_hash
from server.codec import Record, encode_record, encode_value
from server.replay import Diverged
from server.replay import replay as replayed
from tests.engine.naive_exchange import NaiveExchange
from tests.engine.random_commands import RandomCommands
from tests.engine.random_orders import FEATURES

OLD = FEATURES - {"splits", "actions"}
"""There were no corporate actions in any version but the last."""


def journal_of(version: Callable[[AnyCommand], AnyCommand] = lambda command: command) -> list[Record]:
    """What the engine did when it was told commands of a version."""
    naive, state, records = NaiveExchange(), State(), []
    for envelope, told, now_us in RandomCommands(5, naive, OLD).steps(600):
        command = version(told)
        naive.apply(envelope, command, now_us)
        applied = apply(state, envelope, command, now_us)
        if applied.recorded:
            records.append(Record(applied.seq, now_us, envelope, command, applied.events))
    return records


def without_reports(command: AnyCommand) -> AnyCommand:
    """A command of version 2."""
    return replace(command, buy_order=None, sell_order=None) if isinstance(command, BustTrade) else command


def journal_of_version_1() -> list[Record]:
    """The same as the first version of the engine wrote it down."""
    return [replace(record, events=as_version_1(record.events)) for record in journal_of()]


def as_version_1(events: tuple[AnyEvent, ...]) -> tuple[AnyEvent, ...]:
    return tuple(replace(event, sell_lots=()) if isinstance(event, Traded) else event for event in events)


def test_a_journal_of_version_1_gives_the_state_that_version_2_has() -> None:
    records = journal_of_version_1()
    assert any(isinstance(event, Traded) for record in records for event in record.events)
    state = State()
    assert replayed(state, ((record.seq, encode_record(record)) for record in records)) == len(records)
    assert state.seq == records[-1].seq
    applied = State()
    for record in records:
        apply(applied, record.envelope, record.command, record.now_us)
    assert state_hash(applied) == state_hash(state)


def test_a_bust_of_version_2_which_reports_no_orders_is_replayed() -> None:
    """It is written down without the members that came later, in the command and in the event."""
    shortened: list[tuple[int, bytes]] = []
    busts = 0
    for record in journal_of(without_reports):
        seq, now_us, envelope, command, events = msgspec.msgpack.decode(encode_record(record))
        for tagged in (command, *events):
            if tagged[0] in ("BustTrade", "TradeBusted"):
                if tagged[0] == "TradeBusted":
                    assert tagged[-2]  # the lots that version 4 says
                    del tagged[-2:]
                    busts += 1
                else:
                    assert tagged[-2:] == ["", 0]
                    del tagged[-2:]
                assert tagged[-3:] == [None, None, 0]
                del tagged[-3:]
        shortened.append((seq, encode_value((seq, now_us, envelope, command, events))))
    assert busts > 0
    assert replayed(State(), iter(shortened)) == len(shortened)


NEWER_MEMBERS = {"SetFees": 6, "Traded": 1, "BustTrade": 3, "TradeBusted": 3, "BalanceChanged": 2}
"""What version 4 added at the end of commands and events, when it learned of more fees than rates, of settlement and of lots."""


def test_a_journal_of_before_there_were_fee_rules_and_settlement_is_replayed() -> None:
    shortened: list[tuple[int, bytes]] = []
    seen = set()
    for record in journal_of():
        seq, now_us, envelope, command, events = msgspec.msgpack.decode(encode_record(record))
        for tagged in (command, *events):
            count = NEWER_MEMBERS.get(tagged[0])
            if count is not None:
                seen.add(tagged[0])
                del tagged[-count:]
        shortened.append((seq, encode_value((seq, now_us, envelope, command, events))))
    assert seen == NEWER_MEMBERS.keys()
    assert replayed(State(), iter(shortened)) == len(shortened)


def test_a_trade_that_says_other_lots_than_were_sold_is_another_history() -> None:
    records = journal_of_version_1()
    place = next(
        n for n, record in enumerate(records) if record.events and isinstance(record.events[0], Traded)
    )
    first, *rest = records[place].events
    assert isinstance(first, Traded)
    wrong = replace(first, sell_lots=((1, 2, 3, 4),))
    records[place] = replace(records[place], events=(wrong, *rest))
    with pytest.raises(Diverged, match=f"record {records[place].seq} "):
        replayed(State(), ((record.seq, encode_record(record)) for record in records))
