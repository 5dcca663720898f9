"""The lying disk keeps what was synced and nothing else for sure; and what the journal needs of it beyond its own files."""

from __future__ import annotations

import errno
from pathlib import Path
from random import Random

import pytest

from server.data_folder import DataFolder
from server.journal_errors import JournalFailed
from tests.server.journal_disks import never, open_journal, write_groups
from tests.simulation.lying_disk import Crash, LyingDisk

FOLDER = Path("/kerb")
OLD, NEW = b"o" * 8_192, b"n" * 8_192
SEEDS = range(200)


def written(disk: LyingDisk) -> tuple[int, Path]:
    """A file whose old content is durable and whose new one is not."""
    path = FOLDER / "file"
    fd = disk.create(path)
    disk.write_all(fd, OLD, 0)
    disk.fdatasync(fd)
    disk.fsync_dir(FOLDER)
    disk.write_all(fd, NEW, 0)
    return fd, path


def test_each_sector_that_was_not_synced_is_kept_dropped_torn_or_garbled() -> None:
    disk = LyingDisk(512, Random(0))
    _, path = written(disk)
    fates = set()
    for seed in SEEDS:
        found = disk.after(Crash.POWER, Random(seed)).read_file(path)
        assert len(found) == len(OLD)
        for start in range(0, len(found), 512):
            letters = bytes(found[start : start + 512])
            if letters == OLD[:512]:
                fates.add("dropped")
            elif letters == NEW[:512]:
                fates.add("kept")
            elif letters.strip(b"n").strip(b"o"):
                fates.add("garbled")
            else:
                fates.add("torn")
    assert fates == {"kept", "dropped", "torn", "garbled"}


def test_what_was_synced_is_there_and_a_kill_takes_nothing() -> None:
    disk = LyingDisk(512, Random(0))
    fd, path = written(disk)
    assert all(disk.after(Crash.KILL, Random(seed)).read_file(path) == NEW for seed in SEEDS)
    after_kill = disk.after(Crash.KILL, Random(0))
    assert {after_kill.after(Crash.POWER, Random(seed)).read_file(path) for seed in SEEDS} > {OLD, NEW}
    disk.fdatasync(fd)
    assert all(disk.after(Crash.POWER, Random(seed)).read_file(path) == NEW for seed in SEEDS)


def test_names_are_durable_with_their_folder_alone() -> None:
    disk = LyingDisk(512, Random(0))
    _, path = written(disk)
    disk.rename(path, FOLDER / "renamed")
    disk.create(FOLDER / "created")
    names = {tuple(disk.after(Crash.POWER, Random(seed)).listdir(FOLDER)) for seed in SEEDS}
    assert names == {("file",), ("renamed",), ("created", "file"), ("created", "renamed")}
    disk.fsync_dir(FOLDER)
    assert disk.after(Crash.POWER, Random(0)).listdir(FOLDER) == ["created", "renamed"]


def test_a_failed_sync_leaves_pages_that_only_the_cache_has() -> None:
    disk = LyingDisk(512, Random(0))
    fd, path = written(disk)
    disk.fails = lambda call: errno.EIO if call == "fdatasync" else 0
    with pytest.raises(OSError, match="Input/output error"):
        disk.fdatasync(fd)
    disk.fails = lambda call: 0
    disk.fdatasync(fd)
    assert disk.read_file(path) == NEW
    lost = disk.after(Crash.POWER, Random(0)).read_file(path)
    assert lost != NEW
    disk.drop_cache(fd)
    assert disk.read_file(path) == lost


async def test_a_power_loss_after_an_acknowledgement_does_not_take_the_journals_folder() -> None:
    disk = LyingDisk(512, Random(0))
    folder = FOLDER / DataFolder.JOURNAL_NAME
    journal = open_journal(folder, disk=disk, segment_bytes=16_384)
    journal.start(never)
    await write_groups(journal, 2)
    await journal.close()
    for seed in SEEDS:
        again = open_journal(folder, 2, disk=disk.after(Crash.POWER, Random(seed)), segment_bytes=16_384)
        assert again.durable_seq == 2


def test_a_data_folder_is_durable_with_all_its_parents(tmp_path: Path) -> None:
    class Folders(LyingDisk):
        """The real folders are made too: the lock is taken on one."""

        def make_folder(self, path: Path) -> None:
            path.mkdir(parents=True)
            for each in reversed([path, *path.parents]):
                if not self.exists(each) and each.is_relative_to(tmp_path):
                    super().make_folder(each)

    disk = Folders(512, Random(0), str(tmp_path))
    with DataFolder.own(tmp_path / "deep" / "kerb", disk):
        for seed in SEEDS:
            assert disk.after(Crash.POWER, Random(seed)).exists(tmp_path / "deep" / "kerb")


async def test_a_start_believes_nothing_that_a_failed_sync_left_in_the_cache_alone() -> None:
    lost = 0
    for seed in range(20):
        disk = LyingDisk(512, Random(seed))
        folder = FOLDER / DataFolder.JOURNAL_NAME
        journal = open_journal(folder, disk=disk, segment_bytes=16_384)
        journal.start(lambda error: None)
        await write_groups(journal, 2, 2)
        disk.fails = lambda call: errno.EIO if call == "fdatasync" else 0
        with pytest.raises(JournalFailed):
            await write_groups(journal, 10)
        with pytest.raises(JournalFailed):
            await journal.close()
        found = disk.after(Crash.KILL, Random(seed))
        believed = open_journal(folder, 4, disk=found, segment_bytes=16_384).durable_seq
        again = open_journal(
            folder, believed, disk=found.after(Crash.POWER, Random(seed)), segment_bytes=16_384
        )
        assert again.durable_seq == believed
        lost += believed == 4
    assert lost > 0


async def test_what_is_left_of_a_torn_group_is_in_the_way_of_no_later_segment() -> None:
    torn = 0
    for seed in range(20):
        disk = LyingDisk(512, Random(seed))
        folder = FOLDER / DataFolder.JOURNAL_NAME
        journal = open_journal(folder, disk=disk, segment_bytes=16_384)
        journal.start(lambda error: None)
        await write_groups(journal, 2, 2)
        disk.fails = lambda call: errno.EIO if call == "fdatasync" else 0
        with pytest.raises(JournalFailed):
            await write_groups(journal, 30)
        with pytest.raises(JournalFailed):
            await journal.close()
        found = disk.after(Crash.POWER, Random(seed))
        again = open_journal(folder, 4, disk=found, segment_bytes=16_384)
        torn += bool([name for name in found.listdir(folder) if name.startswith("torn-")])
        again.start(never)
        await write_groups(again, 1, size_bytes=9_000)
        await again.close()
        whole = open_journal(folder, again.durable_seq, disk=found, segment_bytes=16_384)
        assert whole.durable_seq == again.durable_seq
        assert len(whole.segments) == 2
    assert torn > 0


async def test_a_name_that_a_killed_process_gave_is_synced_before_anything_is_written_behind_it() -> None:
    disk = LyingDisk(512, Random(0))
    folder = FOLDER / DataFolder.JOURNAL_NAME
    left: list[LyingDisk] = []

    def look(call: str, name: str) -> None:
        if call == "fsync_dir" and len([each for each in disk.listdir(folder) if each.endswith(".kj")]) == 2:
            left.append(disk.after(Crash.KILL, Random(0)))

    journal = open_journal(folder, disk=disk, segment_bytes=16_384)
    disk.before = look
    journal.start(never)
    await write_groups(journal, *[5] * 6)
    await journal.close()
    assert left
    for found in left:
        again = open_journal(folder, disk=found, segment_bytes=16_384)
        again.start(never)
        await write_groups(again, 5)
        for seed in range(20):
            lost = found.after(Crash.POWER, Random(seed))
            assert open_journal(folder, again.durable_seq, disk=lost, segment_bytes=16_384).durable_seq > 0
        await again.close()
