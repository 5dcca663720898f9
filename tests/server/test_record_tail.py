"""The newest records come from memory, older ones from the journal."""

from __future__ import annotations

import pytest

from engine.commands import CancelAll, Envelope
from engine.kinds import Source
from server.codec import Record, encode_record
from server.record_tail import RecordTail


def record(seq: int) -> Record:
    return Record(seq, 1_000 + seq, Envelope(Source.HTTP), CancelAll(""), ())


class Stored:
    """Records 1 to 100 as bytes, and how often they were asked for."""

    def __init__(self) -> None:
        self.reads = 0

    def records_after(self, seq: int, up_to_seq: int, limit: int) -> list[bytes]:
        self.reads += 1
        return [encode_record(record(n)) for n in range(seq + 1, min(up_to_seq, seq + limit, 100) + 1)]


@pytest.fixture
def stored() -> Stored:
    return Stored()


def seqs(records: object) -> list[int]:
    assert isinstance(records, list)
    return [each.seq for each in records]


def test_what_memory_holds_is_not_read_again(stored: Stored) -> None:
    tail = RecordTail(stored, 50)
    tail.extend([record(n) for n in range(1, 11)])
    assert seqs(tail.read(0, 10, 4)) == [1, 2, 3, 4]
    assert seqs(tail.read(4, 6, 100)) == [5, 6]
    assert stored.reads == 0


def test_what_memory_has_given_up_comes_from_the_journal(stored: Stored) -> None:
    tail = RecordTail(stored, 5)
    tail.extend([record(n) for n in range(1, 11)])
    assert seqs(tail.read(2, 10, 3)) == [3, 4, 5]
    assert stored.reads == 1
    assert seqs(tail.read(5, 10, 9)) == [6, 7, 8, 9, 10]
    assert stored.reads == 1


def test_what_is_written_is_forgotten(stored: Stored) -> None:
    tail = RecordTail(stored, 50)
    tail.extend([record(n) for n in range(1, 11)])
    tail.forget(7)
    assert repr(tail) == "<RecordTail of 3 from 8>"
    tail.forget(10)
    assert seqs(tail.read(0, 2, 9)) == [1, 2]


def test_a_gap_is_never_passed_over(stored: Stored) -> None:
    with pytest.raises(LookupError, match="no record after 100"):
        RecordTail(stored, 5).read(100, 101, 9)
