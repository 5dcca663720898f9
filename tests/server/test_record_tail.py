"""The newest records come from memory, older ones from a real journal's memory or files, which are read through once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.commands import CancelAll, Envelope
from engine.kinds import Source
from server.codec import Record, encode_record
from server.disk import Disk
from server.journal import Journal
from server.record_tail import RecordTail
from tests.server.journal_disks import never, open_journal

IN_MEMORY = 10
"""How many records the journal itself remembers."""


def record(seq: int) -> Record:
    return Record(seq, 1_000 + seq, Envelope(Source.HTTP), CancelAll(""), ())


class CountingDisk(Disk):
    """The real disk; how often a file was opened to be read, and how many such are open."""

    def __init__(self) -> None:
        self.reads = 0
        self.reading: set[int] = set()

    def open(self, path: Path, *, writable: bool = False) -> int:
        fd = super().open(path, writable=writable)
        if not writable:
            self.reads += 1
            self.reading.add(fd)
        return fd

    def close(self, fd: int) -> None:
        super().close(fd)
        self.reading.discard(fd)


@pytest.fixture
def disk() -> CountingDisk:
    return CountingDisk()


@pytest.fixture
async def journal(tmp_path: Path, disk: CountingDisk) -> AsyncIterator[Journal]:
    """Records 1 to 100 are durable."""
    journal = open_journal(tmp_path, disk=disk, tail_records=IN_MEMORY)
    journal.start(never)
    await append(journal, 100)
    disk.reads = 0
    yield journal
    await journal.close()


async def append(journal: Journal, up_to: int) -> None:
    for seq in range(journal.appended_seq + 1, up_to + 1):
        journal.append(seq, encode_record(record(seq)))
    await journal.wait_durable(up_to)


def seqs(records: object) -> list[int]:
    assert isinstance(records, list)
    return [each.seq for each in records]


async def test_what_memory_holds_is_not_read_again(journal: Journal, disk: CountingDisk) -> None:
    tail = RecordTail(journal, 50)
    tail.extend([record(n) for n in range(1, 11)])
    assert seqs(tail.read(0, 10, 4)) == [1, 2, 3, 4]
    assert seqs(tail.read(4, 6, 100)) == [5, 6]
    assert disk.reads == 0


async def test_what_memory_has_given_up_comes_from_the_journal(journal: Journal, disk: CountingDisk) -> None:
    tail = RecordTail(journal, 5)
    tail.extend([record(n) for n in range(1, 11)])
    assert seqs(tail.read(2, 10, 3)) == [3, 4, 5]
    assert disk.reads == 1
    assert seqs(tail.read(5, 10, 9)) == [6, 7, 8, 9, 10]
    assert disk.reads == 1


async def test_what_is_written_is_forgotten(journal: Journal) -> None:
    tail = RecordTail(journal, 50)
    tail.extend([record(n) for n in range(1, 11)])
    assert tail.forget(7, 4), "three are left"
    assert repr(tail) == "<RecordTail of 6 from 5>"
    assert not tail.forget(7, 4)
    assert repr(tail) == "<RecordTail of 3 from 8>"
    assert not tail.forget(7, 4)
    assert not tail.forget(10, 3)
    assert not tail.forget(10, 3)
    assert seqs(tail.read(0, 2, 9)) == [1, 2]


async def test_a_long_way_back_is_read_through_once(journal: Journal, disk: CountingDisk) -> None:
    tail = RecordTail(journal, 5)
    seen: list[int] = []
    while len(seen) < 100 - IN_MEMORY:
        seen += seqs(tail.read(len(seen), 100 - IN_MEMORY, 7))
    assert disk.reads == 1
    seen += seqs(tail.read(len(seen), 100, 50))
    assert seen == list(range(1, 101))
    assert disk.reads == 1, "the journal's own memory has the rest"


async def test_a_batch_that_is_tried_again_is_read_again(journal: Journal, disk: CountingDisk) -> None:
    tail = RecordTail(journal, 5)
    first = seqs(tail.read(0, 50, 20))
    assert seqs(tail.read(0, 50, 20)) == first
    assert disk.reads == 2
    assert len(disk.reading) == 1


async def test_what_became_durable_since_is_found(journal: Journal, disk: CountingDisk) -> None:
    tail = RecordTail(journal, 5)
    assert len(tail.read(0, 80, 80)) == 80
    assert seqs(tail.read(80, 90, 4)) == [81, 82, 83, 84]
    await append(journal, 200)
    assert seqs(tail.read(84, 200, 16)) == list(range(85, 101)), "where that reading ends"
    assert seqs(tail.read(100, 200, 50)) == list(range(101, 151))
    assert disk.reads == 2


async def test_files_are_closed_once_memory_has_the_rest(journal: Journal, disk: CountingDisk) -> None:
    tail = RecordTail(journal, 60)
    tail.read(0, 50, 20)
    tail.extend([record(n) for n in range(21, 81)])
    tail.forget(10, 99)
    assert len(disk.reading) == 1
    tail.forget(20, 1)
    assert len(disk.reading) == 0
    assert repr(tail) == "<RecordTail of 60 from 21>"


async def test_a_gap_is_never_passed_over(journal: Journal) -> None:
    with pytest.raises(LookupError, match="no record after 100"):
        RecordTail(journal, 5).read(100, 101, 9)
