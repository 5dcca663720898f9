"""The live journal: appending, waiting, rotation, the memory tail, consumers and retention."""

import asyncio
from pathlib import Path

import pytest

from server.disk import Disk
from server.journal import Journal
from server.journal_errors import JournalCorrupt, JournalError, JournalFailed, JournalPruned
from server.journal_scan import CLEAN_MARK_NAME, segment_paths
from tests.server.journal_disks import GatedDisk, never, open_journal, record, write_groups


async def started(
    folder: Path,
    *,
    segment_bytes: int = 1 << 20,
    retention_s: float = 0.0,
    tail_records: int = 1000,
    tail_bytes: int = 1 << 20,
) -> Journal:
    journal = open_journal(
        folder,
        segment_bytes=segment_bytes,
        retention_s=retention_s,
        tail_records=tail_records,
        tail_bytes=tail_bytes,
    )
    journal.start(never)
    return journal


async def test_what_was_appended_is_read_back_after_a_restart(tmp_path: Path) -> None:
    journal = await started(tmp_path)
    for seq in range(1, 501):
        journal.append(seq, record(seq))
    await journal.wait_durable(500)
    assert repr(journal) == "<Journal open durable 500 of 500>"
    assert journal.pending_bytes == 0
    await journal.close()
    again = open_journal(tmp_path, 500)
    assert list(again.read(1)) == [(seq, record(seq)) for seq in range(1, 501)]
    assert list(again.read(499)) == [(499, record(499)), (500, record(500))]
    assert list(again.read(501)) == []
    await again.close()


async def test_sequences_must_be_contiguous_and_the_journal_started(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    with pytest.raises(JournalError, match="not started"):
        journal.append(1, b"x")
    journal.start(never)
    with pytest.raises(ValueError, match="2 does not follow 0"):
        journal.append(2, b"x")
    with pytest.raises(ValueError, match="1 was not appended"):
        journal.wait_durable(1)
    await journal.close()
    with pytest.raises(JournalError, match="closing"):
        journal.append(1, b"x")


async def test_everything_that_joins_while_a_group_is_written_becomes_one_group(tmp_path: Path) -> None:
    disk = GatedDisk()
    journal = open_journal(tmp_path, disk=disk)
    journal.start(never)
    moves: list[int] = []
    journal.on_durable(moves.append)
    disk.gate.clear()
    disk.arrived.clear()
    journal.append(1, record(1))
    await asyncio.to_thread(disk.arrived.wait, 30)
    for seq in range(2, 101):
        journal.append(seq, record(seq))
    assert journal.pending_bytes == 100 * len(record(1))
    disk.gate.set()
    await journal.wait_durable(50)
    assert moves == [1, 100]
    await journal.close()


async def test_appending_goes_on_while_groups_are_written(tmp_path: Path) -> None:
    journal = await started(tmp_path, segment_bytes=64 * 1024)
    moves: list[int] = []
    journal.on_durable(moves.append)
    while len(moves) < 20:
        for _ in range(50):
            journal.append(journal.appended_seq + 1, record(journal.appended_seq + 1))
        await journal.wait_durable(max(journal.appended_seq - 200, 0))
    last = journal.appended_seq
    await journal.wait_durable(last)
    assert moves == sorted(set(moves))
    assert moves[-1] == last
    await journal.close()
    again = open_journal(tmp_path, last)
    assert [data for _, data in again.read(1)] == [record(seq) for seq in range(1, last + 1)]
    await again.close()


async def test_listeners_run_in_order_before_the_waiters_wake(tmp_path: Path) -> None:
    journal = await started(tmp_path)
    order: list[str] = []
    journal.on_durable(lambda seq: order.append(f"first {seq}"))
    journal.on_durable(lambda seq: order.append(f"second {seq}"))
    journal.append(1, b"x")
    waiter = journal.wait_durable(1)
    waiter.add_done_callback(lambda _: order.append("waiter"))
    await waiter
    await asyncio.sleep(0)
    assert order == ["first 1", "second 1", "waiter"]
    assert journal.wait_durable(1).done()
    await journal.close()


async def test_who_has_no_task_is_called_in_the_turn_of_the_listeners_and_a_fault_of_one_is_not_another_ones(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    journal = await started(tmp_path)
    order: list[str] = []
    ended = asyncio.Event()

    def listener(seq: int) -> None:
        order.append(f"durable {seq}")
        asyncio.get_running_loop().call_soon(order.append, "next turn")

    def faulty(_: object) -> None:
        raise LookupError("a bug")

    journal.on_durable(listener)
    journal.append(1, b"x")
    journal.call_when_durable(1, faulty)
    journal.call_when_durable(1, lambda failure: order.append(f"failure {failure}"))
    journal.call_when_durable(1, lambda _: ended.set())
    assert order == []
    await ended.wait()
    assert order[:2] == ["durable 1", "failure None"]
    assert "a bug" in caplog.text
    late = asyncio.Event()
    journal.call_when_durable(1, lambda _: late.set())
    assert not late.is_set()
    await late.wait()
    await journal.close()


async def test_who_waits_is_told_once_that_the_journal_was_halted(tmp_path: Path) -> None:
    disk = GatedDisk()
    journal = open_journal(tmp_path, disk=disk)
    journal.start(never)
    disk.gate.clear()
    journal.append(1, b"x")
    told: list[JournalFailed | None] = []
    journal.call_when_durable(1, told.append)
    journal.halt("a test")
    journal.halt("again")
    disk.gate.set()
    await journal.close(mark_clean=False)
    assert [str(failure) for failure in told] == ["the journal was halted after sequence 0: a test"]
    with pytest.raises(JournalFailed):
        journal.call_when_durable(1, told.append)


async def test_what_comes_turn_after_turn_shares_a_sync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.journal.LINGER_S", 60.0)
    journal = await started(tmp_path)
    groups: list[int] = []
    journal.on_durable(groups.append)
    journal.append(1, b"x")
    for seq in range(2, 21):
        journal.append(seq, b"x")
        await asyncio.sleep(0)
    await journal.wait_durable(20)
    assert groups == [20]
    await journal.close()


async def test_records_that_never_cease_do_not_keep_a_group_open(tmp_path: Path) -> None:
    journal = await started(tmp_path)
    journal.append(1, b"x")
    async with asyncio.timeout(5):
        while journal.durable_seq == 0:
            journal.append(journal.appended_seq + 1, b"x")
            await asyncio.sleep(0)
    await journal.close()
    assert journal.durable_seq == journal.appended_seq


async def test_one_cancelled_waiter_leaves_the_others_waiting(tmp_path: Path) -> None:
    disk = GatedDisk()
    journal = open_journal(tmp_path, disk=disk)
    journal.start(never)
    disk.gate.clear()
    journal.append(1, b"x")
    given_up, patient = journal.wait_durable(1), journal.wait_durable(1)
    given_up.cancel()
    disk.gate.set()
    await patient
    assert given_up.cancelled()
    await journal.close()


async def test_segments_rotate_and_a_huge_group_gets_one_of_its_own_size(tmp_path: Path) -> None:
    journal = await started(tmp_path, segment_bytes=32 * 1024)
    await write_groups(journal, *[100] * 9)
    await write_groups(journal, 3, size_bytes=40_000)
    await write_groups(journal, 100, 100)
    names = [path.name for path in segment_paths(Disk(), tmp_path)]
    assert names == [segment.path.name for segment in journal.segments]
    assert [segment.header.index for segment in journal.segments] == list(range(1, len(names) + 1))
    large = [segment for segment in journal.segments if segment.header.capacity_bytes > 32 * 1024]
    assert [(segment.first_seq, segment.last_seq) for segment in large] == [(901, 903)]
    await journal.close()
    again = open_journal(tmp_path, 1103)
    assert [seq for seq, _ in again.read(1)] == list(range(1, 1104))
    await again.close()


async def test_the_next_segment_is_zeroed_ahead_of_its_use(tmp_path: Path) -> None:
    journal = await started(tmp_path, segment_bytes=32 * 1024)
    await write_groups(journal, 100, 100)
    await journal.close()
    assert (tmp_path / "segment-next.tmp").stat().st_size == 32 * 1024
    again = open_journal(tmp_path)
    assert not (tmp_path / "segment-next.tmp").exists()
    await again.close()


async def test_the_clean_mark_is_there_after_a_close_and_gone_before_the_first_append(tmp_path: Path) -> None:
    journal = await started(tmp_path)
    await write_groups(journal, 2)
    assert not (tmp_path / CLEAN_MARK_NAME).exists()
    await journal.close()
    assert (tmp_path / CLEAN_MARK_NAME).exists()
    again = open_journal(tmp_path)
    assert (tmp_path / CLEAN_MARK_NAME).exists()
    again.start(never)
    assert not (tmp_path / CLEAN_MARK_NAME).exists()
    await again.close(mark_clean=False)
    assert not (tmp_path / CLEAN_MARK_NAME).exists()


async def test_memory_tail_and_files_agree_from_every_position(tmp_path: Path) -> None:
    journal = await started(tmp_path, segment_bytes=32 * 1024, tail_records=64)
    await write_groups(journal, *[37] * 20)
    assert not journal.in_memory(600)
    assert journal.in_memory(700)
    for seq in range(0, 740, 7):
        from_file = [data for _, data in journal.read(seq + 1)][:25]
        assert (
            journal.records_after(seq, 740, 25) == from_file == [record(n) for n in range(seq + 1, 741)][:25]
        )
    assert journal.records_after(730, 733, 25) == [record(731), record(732), record(733)]
    assert journal.records_after(740, 740, 25) == []
    assert journal.records_after(740, 700, 25) == []
    await journal.close()


async def test_records_that_are_not_durable_yet_are_all_in_memory(tmp_path: Path) -> None:
    disk = GatedDisk()
    journal = open_journal(tmp_path, disk=disk, tail_records=8, tail_bytes=400)
    journal.start(never)
    await write_groups(journal, 100)
    disk.gate.clear()
    for seq in range(101, 301):
        journal.append(seq, record(seq))
    assert journal.durable_seq == 100
    assert journal.records_after(100, 300, 1000) == [record(seq) for seq in range(101, 301)]
    assert [seq for seq, _ in journal.read(95)] == [95, 96, 97, 98, 99, 100]
    disk.gate.set()
    await journal.wait_durable(300)
    assert not journal.in_memory(280)
    await journal.close()


async def test_the_memory_tail_is_bounded_in_bytes_too(tmp_path: Path) -> None:
    journal = await started(tmp_path, tail_records=1000, tail_bytes=100_000)
    await write_groups(journal, *[10] * 20, size_bytes=10_000)
    assert not journal.in_memory(185)
    assert journal.in_memory(195)
    assert journal.records_after(195, 200, 9) == [record(seq, 10_000) for seq in range(196, 201)]
    await journal.close()


async def test_segments_go_only_below_every_consumer_and_past_the_retention(tmp_path: Path) -> None:
    journal = await started(tmp_path, segment_bytes=32 * 1024, retention_s=60)
    await write_groups(journal, *[100] * 30)
    starts = [segment.first_seq for segment in journal.segments]
    assert len(starts) >= 4
    changed_s = max(segment.path.stat().st_mtime for segment in journal.segments)
    assert journal.prune(changed_s + 61) == []
    journal.register_consumer("postgres")
    journal.register_consumer("exporter", 50)
    journal.commit("exporter", 3000)
    assert journal.prune(changed_s + 61) == []
    journal.commit("postgres", starts[2])
    assert journal.prune(changed_s + 59) == []
    removed = journal.prune(changed_s + 61)
    assert [path.exists() for path in removed] == [False, False]
    assert journal.first_seq == starts[2]
    with pytest.raises(JournalPruned, match=f"starts at {starts[2]}"):
        list(journal.read(1))
    journal.commit("postgres", 3000)
    journal.prune(changed_s + 61)
    assert [segment.first_seq for segment in journal.segments] == starts[-1:]
    await write_groups(journal, 5)
    await journal.close()
    again = open_journal(tmp_path, 3005)
    assert [seq for seq, _ in again.read(starts[-1])] == list(range(starts[-1], 3006))
    await again.close()


async def test_a_consumer_cannot_go_back_nor_ahead_of_what_is_durable(tmp_path: Path) -> None:
    journal = await started(tmp_path)
    await write_groups(journal, 10)
    journal.register_consumer("postgres", 4)
    for seq in (3, 11):
        with pytest.raises(ValueError, match="cannot go"):
            journal.commit("postgres", seq)
    with pytest.raises(ValueError, match="already"):
        journal.register_consumer("postgres")
    await journal.close()


async def test_backlog_shrinks_as_a_consumer_advances(tmp_path: Path) -> None:
    journal = await started(tmp_path, segment_bytes=32 * 1024)
    await write_groups(journal, *[100] * 10)
    assert journal.backlog_bytes(0) == 10 * 8192
    assert 0 < journal.backlog_bytes(900) < journal.backlog_bytes(100)
    assert journal.backlog_bytes(1000) == 0
    await journal.close()


async def test_damage_under_a_running_journal_is_noticed_by_its_reader(tmp_path: Path) -> None:
    journal = await started(tmp_path)
    await write_groups(journal, 10, 10)
    path = journal.segments[0].path
    data = bytearray(path.read_bytes())
    data[2 * 4096 + 100] ^= 1
    path.write_bytes(data)
    reader = journal.read(1)
    assert [next(reader)[0] for _ in range(10)] == list(range(1, 11))
    with pytest.raises(JournalCorrupt, match="sequence 11: payload checksum"):
        next(reader)
    await journal.close(mark_clean=False)


async def test_a_reader_may_stop_early_and_another_go_on_in_a_thread(tmp_path: Path) -> None:
    journal = await started(tmp_path)
    await write_groups(journal, 50, 50)
    reader = journal.read(1)
    assert next(reader) == (1, record(1))
    reader.close()
    assert await asyncio.to_thread(journal.records_after, 40, 100, 20) == [
        record(seq) for seq in range(41, 61)
    ]
    await journal.close()
