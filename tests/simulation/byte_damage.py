"""A journal on the disk in memory, cut after every byte of its last group, and with bits flipped at or below what is known durable."""

from __future__ import annotations

from collections import Counter
from enum import Enum
from pathlib import Path
from random import Random
from typing import Final

from server.data_folder import DataFolder, DataFolderDamaged
from server.disk import Disk
from server.journal import Journal
from server.journal_errors import JournalCorrupt, JournalShort
from server.journal_frame import crc32c, decode_frame_header
from server.journal_reader import Segment
from server.journal_scan import CLEAN_MARK_NAME
from tests.server.journal_disks import JOURNAL_ID, never, open_journal
from tests.simulation.lying_disk import LyingDisk
from tests.simulation.world_loop import SteppedWriter, WorldLoop

ROOT: Final = Path("/kerb")
FOLDER: Final = ROOT / DataFolder.JOURNAL_NAME


class Known(Enum):
    """From where the durable sequence is known at a start."""

    POSTGRES = "the watermark"
    MARK = "the clean mark"
    FRAMES = "the frames themselves"


class Written:
    """What was written, and where its last group begins and ends in the last segment."""

    def __init__(self, disk: LyingDisk, journal: Journal, groups: list[int], records: list[bytes]) -> None:
        self.disk = disk
        self.segments: tuple[Segment, ...] = journal.segments
        self.records = records
        self.kept = len(records) - groups[-1]
        self.last = journal.segments[-1]
        self.end = self.last.end_offset


def write_journal(random: Random, *, clean: bool) -> Written:
    """A few segments, whose last one has at least one group."""
    loop = WorldLoop(random)
    disk = LyingDisk(random.choice((512, 4_096)), random)
    records: list[bytes] = []
    groups = [random.randint(1, 12) for _ in range(random.randint(3, 9))]

    async def write() -> Journal:
        DataFolder(ROOT, -1, disk).journal_id()
        disk.replace_file(ROOT / "journal-id", identity())
        journal = open_journal(FOLDER, disk=disk, segment_bytes=random.choice((8_192, 16_384)))
        journal.start(never, SteppedWriter(loop))
        for count in groups:
            for _ in range(count):
                records.append(random.randbytes(random.randint(1, 300)))
                journal.append(len(records), records[-1])
            await journal.wait_durable(len(records))
        await journal.close(mark_clean=clean)
        return journal

    journal = loop.run_until_complete(write())
    loop.abandon()
    return Written(disk.settled(), journal, groups, records)


def identity() -> bytes:
    """The file that names the journal of these tests."""
    return f"{JOURNAL_ID.hex()} {crc32c(JOURNAL_ID):08x}\n".encode("ascii")


def recovered(disk: Disk, known_seq: int) -> list[bytes]:
    """The records that a start finds."""
    DataFolder(ROOT, -1, disk).journal_id()
    journal = open_journal(FOLDER, known_seq, disk=disk, segment_bytes=8_192)
    return [data for _, data in journal.read(1)]


def cut_everywhere(seed: str) -> Counter[str]:
    """After every byte of the last group: the rest was lost, or is something else, or the file ends there."""
    random = Random(seed)
    written = write_journal(random, clean=False)
    path, begin = written.last.path, _begin_of_last(written)
    frame = written.disk.read_file(path)[begin : written.end]
    body = len(frame.rstrip(b"\0"))
    seen: Counter[str] = Counter()
    for cut in range(len(frame)):
        disk = written.disk.copy()
        kind = random.choice(("zeros", "garbage", "end of file"))
        if kind == "zeros":
            disk.overwrite(path, begin + cut, bytes(len(frame) - cut))
        elif kind == "garbage":
            disk.overwrite(path, begin + cut, random.randbytes(len(frame) - cut))
        else:
            disk.truncate(path, begin + cut)
        expected = written.kept
        if cut >= body and kind != "garbage":
            expected = len(written.records)
        found = recovered(disk, written.kept)
        assert found == written.records[:expected], (
            f"cut {cut} of {body} bytes, {kind}: {len(found)} records, not {expected}"
        )
        if cut % 8 == 0:
            assert recovered(disk, expected) == found, "a second start finds the same"
        seen["byte cuts"] += 1
    return seen


def _begin_of_last(written: Written) -> int:
    """Where the last frame of the last segment starts."""
    offset = written.last.offset_at_or_before(written.last.last_seq)
    data = written.disk.read_file(written.last.path)
    while (header := decode_frame_header(data, offset)) is not None:
        if header.last_seq == written.last.last_seq:
            return offset
        offset += header.size_bytes
    raise AssertionError("the last frame is there")


def flip_bits(seed: str, flips: int) -> Counter[str]:
    """Each a single bit of what is known durable, or of what says so: refused, with nothing changed on disk."""
    random = Random(seed)
    seen: Counter[str] = Counter()
    while seen["bit flips refused"] < flips:
        known = random.choice(list(Known))
        written = write_journal(random, clean=known is Known.MARK)
        seq = len(written.records) if known is Known.POSTGRES else 0
        places = _durable_places(written, known)
        for _ in range(min(100, flips - seen["bit flips refused"])):
            path, size = random.choice(places)
            offset, bit = random.randrange(size), random.randrange(8)
            disk = written.disk.copy()
            disk.overwrite(path, offset, bytes([disk.read_file(path)[offset] ^ (1 << bit)]))
            before = disk.files()
            where = f"bit {bit} of byte {offset} of {path.name}, known by {known.value}"
            try:
                found = recovered(disk, seq)
            except (JournalCorrupt, JournalShort, DataFolderDamaged):
                assert disk.files() == before, f"{where}: refused, but something was changed"
            else:
                raise AssertionError(f"{where}: silent, {len(found)} of {len(written.records)} records")
            seen["bit flips refused"] += 1
    return seen


def _durable_places(written: Written, known: Known) -> list[tuple[Path, int]]:
    """Files, and how many bytes of each are known to be durable."""
    places = [(segment.path, segment.header.capacity_bytes) for segment in written.segments[:-1]]
    begin = _begin_of_last(written)
    places.append((written.last.path, begin if known is Known.FRAMES else written.end))
    places.append((ROOT / "journal-id", len(identity())))
    if known is Known.MARK:
        places.append((FOLDER / CLEAN_MARK_NAME, written.disk.size_bytes(FOLDER / CLEAN_MARK_NAME)))
    return places
