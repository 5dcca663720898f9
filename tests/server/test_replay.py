"""Journals of engine version 1, whose trades do not say which lots they sold, are replayed; any other difference is not."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from engine.apply import apply
from engine.events import AnyEvent, Traded
from engine.state import State
from engine.state_hash import state_hash
from server.codec import Record, encode_record
from server.replay import Diverged
from server.replay import replay as replayed
from tests.engine.naive_exchange import NaiveExchange
from tests.engine.random_commands import RandomCommands


def journal_of_version_1() -> list[Record]:
    """What the naive exchange did, as the first version of the engine wrote it down."""
    naive, records = NaiveExchange(), []
    for envelope, command, now_us in RandomCommands(5, naive).steps(600):
        before = naive.seq
        events = naive.apply(envelope, command, now_us).events
        if naive.seq > before:
            records.append(Record(naive.seq, now_us, envelope, command, as_version_1(events)))
    return records


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
