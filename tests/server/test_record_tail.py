"""The newest records come from memory, older ones from the journal."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from engine.commands import CancelAll, Envelope
from engine.kinds import Source
from server.codec import Record, encode_record
from server.record_tail import RecordTail


def record(seq: int) -> Record:
    return Record(seq, 1_000 + seq, Envelope(Source.HTTP), CancelAll(""), ())


class Stored:
    """Records as bytes, those from 91 on in memory too; how often files were opened, and how many are open."""

    def __init__(self) -> None:
        self.durable_seq = 100
        self.reads = 0
        self.open = 0

    def in_memory(self, seq: int) -> bool:
        return seq >= 90

    def read(self, from_seq: int) -> Generator[tuple[int, bytes], None, None]:
        self.reads += 1
        self.open += 1
        try:
            for seq in range(from_seq, self.durable_seq + 1):
                yield seq, encode_record(record(seq))
        finally:
            self.open -= 1

    def records_after(self, seq: int, up_to_seq: int, limit: int) -> list[bytes]:
        assert self.in_memory(seq)
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


def test_a_long_way_back_is_read_through_once(stored: Stored) -> None:
    tail = RecordTail(stored, 5)
    seen: list[int] = []
    while len(seen) < 90:
        seen += seqs(tail.read(len(seen), 90, 7))
    assert seen == list(range(1, 91))
    assert stored.reads == 1
    assert seqs(tail.read(90, 100, 50)) == list(range(91, 101))
    assert stored.reads == 1


def test_a_batch_that_is_tried_again_is_read_again(stored: Stored) -> None:
    tail = RecordTail(stored, 5)
    first = seqs(tail.read(0, 50, 20))
    assert seqs(tail.read(0, 50, 20)) == first
    assert stored.reads == 2
    assert stored.open == 1


def test_what_became_durable_since_is_found(stored: Stored) -> None:
    tail = RecordTail(stored, 5)
    stored.durable_seq = 30
    assert len(tail.read(0, 30, 30)) == 30
    stored.durable_seq = 60
    assert seqs(tail.read(30, 60, 10)) == list(range(31, 41))


def test_files_are_closed_once_memory_has_the_rest(stored: Stored) -> None:
    tail = RecordTail(stored, 60)
    tail.read(0, 50, 20)
    tail.extend([record(n) for n in range(21, 81)])
    tail.forget(10)
    assert stored.open == 1
    tail.forget(20)
    assert stored.open == 0
    assert repr(tail) == "<RecordTail of 60 from 21>"


def test_a_gap_is_never_passed_over(stored: Stored) -> None:
    with pytest.raises(LookupError, match="no record after 100"):
        RecordTail(stored, 5).read(100, 101, 9)
