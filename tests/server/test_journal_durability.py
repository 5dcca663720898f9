"""No acknowledgement before the sync, none after a failure, and nothing acknowledged that a power loss takes back."""

import asyncio
import errno
from pathlib import Path

import pytest

from server.disk import Disk
from server.journal import Journal
from server.journal_errors import JournalFailed
from tests.server.journal_disks import (
    FailingDisk,
    GatedDisk,
    PowerLossDisk,
    never,
    open_journal,
    record,
    write_groups,
)

SMALL = 32 * 1024


async def test_no_acknowledgement_comes_before_fdatasync_returns(tmp_path: Path) -> None:
    disk = GatedDisk()
    journal = open_journal(tmp_path, disk=disk)
    journal.start(never)
    moves: list[int] = []
    journal.on_durable(moves.append)
    for seq in range(1, 6):
        disk.gate.clear()
        disk.arrived.clear()
        journal.append(seq, record(seq))
        waiter = journal.wait_durable(seq)
        await asyncio.to_thread(disk.arrived.wait, 30)
        done, _ = await asyncio.wait([waiter], timeout=0.02)
        assert not done
        assert journal.durable_seq == seq - 1
        assert moves == list(range(1, seq))
        disk.gate.set()
        await waiter
        assert journal.durable_seq == seq
    await journal.close()


async def test_power_loss_after_any_acknowledgement_takes_nothing_back(tmp_path: Path) -> None:
    """Fails when the fdatasync of a frame, of a segment's header, or the sync of the folder is left out."""
    disk = PowerLossDisk()
    journal = open_journal(tmp_path / "live", disk=disk, segment_bytes=SMALL)
    journal.start(never)
    for turn in range(40):
        await write_groups(journal, 20)
        survived = open_journal(disk.after_power_loss(tmp_path / f"after-{turn}"), journal.durable_seq)
        expected = [record(seq) for seq in range(1, journal.durable_seq + 1)]
        assert [data for _, data in survived.read(1)] == expected
        await survived.close()
    assert len(journal.segments) > 2
    await journal.close()


async def test_power_loss_at_any_sync_leaves_a_journal_that_opens(tmp_path: Path) -> None:
    """Fails when a segment gets its name before its header is durable, or anything is acknowledged early."""
    disk = PowerLossDisk()
    acknowledged: list[int] = [0]
    images: list[tuple[int, PowerLossDisk]] = []
    disk.before_sync = lambda: images.append((acknowledged[0], disk.copy()))
    journal = open_journal(tmp_path / "live", disk=disk, segment_bytes=SMALL)
    journal.on_durable(lambda seq: acknowledged.__setitem__(0, seq))
    journal.start(never)
    await write_groups(journal, *[60] * 20)
    await journal.close()
    assert len(journal.segments) > 2
    for turn, (known_seq, image) in enumerate(images):
        survived = open_journal(
            image.after_power_loss(tmp_path / f"after-{turn}"), known_seq, segment_bytes=SMALL
        )
        found = [data for _, data in survived.read(1)]
        assert found == [record(seq) for seq in range(1, len(found) + 1)]
        assert len(found) >= known_seq
        await survived.close()


async def test_the_clean_mark_and_its_removal_survive_a_power_loss(tmp_path: Path) -> None:
    disk = PowerLossDisk()
    journal = open_journal(tmp_path / "live", disk=disk, segment_bytes=SMALL)
    journal.start(never)
    await write_groups(journal, 3)
    await journal.close()
    assert (disk.after_power_loss(tmp_path / "closed") / "clean-shutdown").stat().st_size > 0
    again = open_journal(tmp_path / "live", disk=disk, segment_bytes=SMALL)
    again.start(never)
    assert not (disk.after_power_loss(tmp_path / "started") / "clean-shutdown").exists()
    await again.close()


async def test_what_a_killed_process_left_unsynced_is_synced_before_it_is_believed(tmp_path: Path) -> None:
    journal = open_journal(tmp_path / "live", segment_bytes=SMALL)
    journal.start(never)
    await write_groups(journal, 3, 4)
    await journal.close(mark_clean=False)
    Disk().unlink(tmp_path / "live" / "segment-next.tmp")
    disk = PowerLossDisk()
    reopened = open_journal(tmp_path / "live", disk=disk, segment_bytes=SMALL)
    assert reopened.durable_seq == 7
    survived = open_journal(disk.after_power_loss(tmp_path / "after"), 7)
    await survived.close()
    await reopened.close()


async def failing(folder: Path) -> tuple[Journal, FailingDisk, list[Exception]]:
    disk, failures = FailingDisk(), list[Exception]()
    journal = open_journal(folder, disk=disk, segment_bytes=SMALL)
    journal.start(failures.append)
    # The second group is written after the first one's zeroing ahead, which is all that these segments need.
    await write_groups(journal, 5, 5)
    disk.calls.clear()
    return journal, disk, failures


async def expect_failure(journal: Journal, failures: list[Exception]) -> None:
    """Ten more records are appended; none is ever acknowledged, and the failure is told once."""
    durable_seq = journal.durable_seq
    for seq in range(journal.appended_seq + 1, journal.appended_seq + 11):
        journal.append(seq, record(seq))
    waiters = [journal.wait_durable(seq) for seq in range(durable_seq + 1, journal.appended_seq + 1)]
    for result in await asyncio.gather(*waiters, return_exceptions=True):
        assert isinstance(result, JournalFailed)
    with pytest.raises(JournalFailed):
        journal.append(journal.appended_seq + 1, b"x")
    with pytest.raises(JournalFailed):
        journal.wait_durable(journal.appended_seq)
    with pytest.raises(JournalFailed):
        await journal.close()
    assert journal.durable_seq == durable_seq
    assert len(failures) == 1


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("call", ["pwrite", "fdatasync"])
async def test_an_error_of_the_disk_ends_acknowledgement_for_good(
    tmp_path: Path, call: str, number: int
) -> None:
    journal, disk, failures = await failing(tmp_path)
    disk.number = number
    disk.fails = lambda name: name == call
    await expect_failure(journal, failures)
    assert isinstance(failures[0], OSError)
    assert failures[0].errno == number
    assert disk.calls.count(call) == 1, "a failed call is never tried again"
    survived = open_journal(tmp_path, 10, segment_bytes=SMALL)
    assert survived.durable_seq >= 10
    await survived.close()


async def test_a_short_write_ends_acknowledgement_for_good(tmp_path: Path) -> None:
    journal, disk, failures = await failing(tmp_path)
    disk.short = True
    await expect_failure(journal, failures)
    assert "short write" in str(failures[0])
    assert disk.calls == ["pwrite"]


@pytest.mark.parametrize("call", ["pwrite", "fdatasync", "fsync_dir", "rename", "fallocate"])
async def test_an_error_at_any_call_of_a_rotation_ends_acknowledgement(tmp_path: Path, call: str) -> None:
    whole = FailingDisk()
    journal = open_journal(tmp_path / "count", disk=whole, segment_bytes=SMALL)
    journal.start(never)
    whole.calls.clear()
    await write_groups(journal, *[100] * 10)
    await journal.close(mark_clean=False)
    total = whole.calls.count(call)
    assert total > 0
    for nth in range(1, total + 1):
        folder = tmp_path / f"{call}-{nth}"
        disk, failures = FailingDisk(), list[Exception]()
        journal = open_journal(folder, disk=disk, segment_bytes=SMALL)
        journal.start(failures.append)
        disk.calls.clear()
        disk.fail_from(call, nth)
        acknowledged = 0
        try:
            for _ in range(10):
                await write_groups(journal, 100)
                acknowledged = journal.durable_seq
        except JournalFailed:
            pass
        with pytest.raises(JournalFailed):
            await journal.close(mark_clean=False)
        assert len(failures) == 1
        survived = open_journal(folder, acknowledged, segment_bytes=SMALL)
        found = [data for _, data in survived.read(1)]
        assert found == [record(seq) for seq in range(1, len(found) + 1)]
        await survived.close()


async def test_a_group_too_large_for_the_empty_segment_of_a_cut_off_rotation_takes_its_place(
    tmp_path: Path,
) -> None:
    disk, failures = FailingDisk(), list[Exception]()
    journal = open_journal(tmp_path, disk=disk, segment_bytes=SMALL)
    journal.start(failures.append)
    disk.calls.clear()
    disk.fail_from("fsync_dir", 1)
    with pytest.raises(JournalFailed):
        await write_groups(journal, *[100] * 10)
    with pytest.raises(JournalFailed):
        await journal.close()
    again = open_journal(tmp_path, segment_bytes=SMALL)
    durable_seq, last = again.durable_seq, again.segments[-1]
    assert (len(again.segments), last.last_seq) == (2, last.first_seq - 1)
    again.start(never)
    await write_groups(again, 10, size_bytes=SMALL // 4)
    assert [segment.header.index for segment in again.segments] == [1, 2]
    await write_groups(again, *[100] * 10)
    await again.close()
    survived = open_journal(tmp_path, again.durable_seq, segment_bytes=SMALL)
    assert [segment.header.index for segment in survived.segments][:2] == [1, 2]
    assert len([data for _, data in survived.read(1)]) == durable_seq + 10 + 1_000
    await survived.close()


async def test_what_was_durable_before_the_failure_stays_acknowledged(tmp_path: Path) -> None:
    disk, failures = GatedDisk(), list[Exception]()
    journal = open_journal(tmp_path, disk=disk)
    journal.start(failures.append)
    disk.gate.clear()
    disk.arrived.clear()
    journal.append(1, record(1))
    first = journal.wait_durable(1)
    await asyncio.to_thread(disk.arrived.wait, 30)
    journal.append(2, record(2))
    second = journal.wait_durable(2)
    disk.fails = lambda call: call == "pwrite"
    disk.gate.set()
    await first
    with pytest.raises(JournalFailed, match="after sequence 1"):
        await second
    assert len(failures) == 1
    with pytest.raises(JournalFailed):
        await journal.close()
