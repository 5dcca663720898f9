"""Recovery's decision: a torn end is cut and kept, everything else that is wrong is refused with nothing changed."""

import random
import shutil
from pathlib import Path

import pytest

from server.disk import Disk
from server.journal_errors import JournalCorrupt, JournalShort
from server.journal_frame import SEGMENT_START, ZERO_HASH, decode_frame_header, encode_frame
from server.journal_scan import CLEAN_MARK_NAME, scan_journal, segment_name
from tests.server.journal_disks import JOURNAL_ID, contents, never, open_journal, record, write_groups

SMALL = 32 * 1024


async def written(folder: Path, *groups: int, segment_bytes: int = SMALL, size_bytes: int = 40) -> Path:
    """A journal of these groups, ended without a clean mark."""
    journal = open_journal(folder, segment_bytes=segment_bytes)
    journal.start(never)
    await write_groups(journal, *groups, size_bytes=size_bytes)
    await journal.close(mark_clean=False)
    return folder


def segment_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("segment-*.kj"))


def frames_of(path: Path) -> list[tuple[int, int, int, int]]:
    """(offset, bytes without padding, first, last) of each frame in a segment file."""
    data = path.read_bytes()
    offset, found = SEGMENT_START, []
    while (header := decode_frame_header(data, offset)) is not None:
        found.append((offset, header.body_bytes, header.first_seq, header.last_seq))
        offset += header.size_bytes
    return found


def overwrite(path: Path, offset: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


async def recovered(folder: Path, known_durable_seq: int = 0) -> list[bytes]:
    journal = open_journal(folder, known_durable_seq, segment_bytes=SMALL)
    found = [data for _, data in journal.read(1)]
    await journal.close()
    return found


def refused(folder: Path, known_durable_seq: int = 0) -> JournalCorrupt:
    """The refusal to open; fails when anything on disk was changed by it."""
    before = contents(folder)
    with pytest.raises(JournalCorrupt) as caught:
        open_journal(folder, known_durable_seq, segment_bytes=SMALL)
    assert contents(folder) == before
    return caught.value


@pytest.mark.parametrize("lost", ["zeros", "truncated", "garbage"])
async def test_every_byte_cut_of_the_last_group_recovers_the_exact_prefix(tmp_path: Path, lost: str) -> None:
    original = await written(tmp_path / "original", 3, 2, 4)
    offset, body_bytes, first, _ = frames_of(segment_files(original)[0])[-1]
    data = segment_files(original)[0].read_bytes()
    prefix = [record(seq) for seq in range(1, first)]
    folder = tmp_path / "cut"
    for kept in range(body_bytes):
        folder.mkdir()
        rest = b"" if lost == "truncated" else bytes(len(data) - offset - kept)
        if lost == "garbage":
            rest = b"\xa5" * (body_bytes - kept) + rest[body_bytes - kept :]
        (folder / segment_name(1)).write_bytes(data[: offset + kept] + rest)
        assert await recovered(folder, first - 1) == prefix, kept
        torn = (data[offset : offset + kept] + rest.rstrip(b"\0")).rstrip(b"\0")
        copies = sorted(folder.glob("torn-*"))
        assert [copy.read_bytes() for copy in copies] == ([torn] if torn else []), kept
        shutil.rmtree(folder)


async def test_after_a_cut_the_journal_goes_on_where_the_prefix_ends(tmp_path: Path) -> None:
    folder = await written(tmp_path / "j", 3, 2)
    path = segment_files(folder)[0]
    for number in (1, 2):
        offset, body_bytes, first, _ = frames_of(path)[-1]
        overwrite(path, offset + body_bytes - 1, b"\xff")
        journal = open_journal(folder, segment_bytes=SMALL)
        assert journal.durable_seq == first - 1 == 3
        assert (folder / f"torn-4-{number}.bin").exists()
        assert path.read_bytes()[offset:].strip(b"\0") == b""
        journal.start(never)
        await write_groups(journal, 5)
        await journal.close(mark_clean=False)
    assert await recovered(folder) == [record(seq) for seq in range(1, 9)]


async def test_a_group_whose_first_blocks_were_lost_is_a_torn_tail(tmp_path: Path) -> None:
    folder = await written(tmp_path / "j", 3, 300)
    path = segment_files(folder)[0]
    offset, _, first, _ = frames_of(path)[-1]
    overwrite(path, offset, bytes(4096))
    assert len(await recovered(folder)) == first - 1 == 3
    assert (folder / "torn-4-1.bin").exists()


async def test_bit_flips_at_or_below_the_durable_sequence_are_all_refused(tmp_path: Path) -> None:
    folder = await written(tmp_path / "j", 3, 20, 1, 200, 30, 2, 90, 4)
    assert len(segment_files(folder)) >= 2
    ends = {path: frames_of(path)[-1] for path in segment_files(folder)}
    chance = random.Random(5)
    for _ in range(300):
        path = chance.choice(list(ends))
        offset, body_bytes, _, _ = ends[path]
        place = chance.randrange(0, offset + body_bytes)
        data = path.read_bytes()
        overwrite(path, place, bytes([data[place] ^ 1 << chance.randrange(8)]))
        refused(folder, 350)
        overwrite(path, place, data[place : place + 1])
    assert len(await recovered(folder, 350)) == 350


async def test_a_flip_below_the_last_frame_is_refused_without_any_outside_knowledge(tmp_path: Path) -> None:
    folder = await written(tmp_path / "j", 3, 2, 4)
    path = segment_files(folder)[0]
    offset, body_bytes, first, _ = frames_of(path)[1]
    overwrite(path, offset + body_bytes - 1, b"\xff")
    error = refused(folder)
    assert (error.file, error.offset, error.seq) == (path, offset, first)
    assert "later frame follows" in error.reason


async def test_a_flip_in_the_unused_end_of_an_older_segment_is_refused(tmp_path: Path) -> None:
    folder = await written(tmp_path / "j", 100, 300, 300)
    first, *later = segment_files(folder)
    assert later
    overwrite(first, first.stat().st_size - 1, b"\x01")
    assert refused(folder).file == first


async def test_a_missing_middle_segment_is_refused(tmp_path: Path) -> None:
    folder = await written(tmp_path / "j", *[100] * 12)
    files = segment_files(folder)
    assert len(files) >= 3
    files[1].unlink()
    assert "missing" in refused(folder).reason


async def test_a_missing_first_segment_is_refused_unless_its_records_are_applied(tmp_path: Path) -> None:
    folder = await written(tmp_path / "j", *[100] * 12)
    files = segment_files(folder)
    files[0].unlink()
    start = int(files[1].stem.removeprefix("segment-"))
    assert "missing segment" in refused(folder, start - 2).reason
    journal = open_journal(folder, start - 1, segment_bytes=SMALL)
    assert next(iter(journal.read(start))) == (start, record(start))
    await journal.close()


async def test_a_missing_last_segment_is_short_of_what_is_known(tmp_path: Path) -> None:
    folder = await written(tmp_path / "j", *[100] * 12)
    segment_files(folder)[-1].unlink()
    before = contents(folder)
    with pytest.raises(JournalShort, match="1200"):
        open_journal(folder, 1200, segment_bytes=SMALL)
    assert contents(folder) == before


async def test_an_empty_folder_is_short_of_anything_known(tmp_path: Path) -> None:
    with pytest.raises(JournalShort):
        open_journal(tmp_path, 1)
    assert contents(tmp_path) == {}


async def test_a_torn_end_below_the_known_sequence_is_corrupt(tmp_path: Path) -> None:
    folder = await written(tmp_path / "j", 3, 2)
    path = segment_files(folder)[0]
    offset, _, _, _ = frames_of(path)[-1]
    overwrite(path, offset + 20, b"\xff\xff")
    assert "known durable" in refused(folder, 4).reason


async def test_another_journals_segment_is_refused(tmp_path: Path) -> None:
    folder = await written(tmp_path / "j", 3)
    path = segment_files(folder)[0]
    data = path.read_bytes()
    path.write_bytes(data.replace(JOURNAL_ID, bytes(16)))
    refused(folder)


def forged(first_seq: int, *, journal_id: bytes = JOURNAL_ID, previous_hash: bytes = ZERO_HASH) -> bytes:
    frame, _ = encode_frame(
        [b"forged"],
        journal_id=journal_id,
        engine_version=7,
        first_seq=first_seq,
        durable_seq=first_seq - 1,
        previous_hash=previous_hash,
    )
    return frame


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (forged(6, journal_id=bytes(16)), "a frame of journal 0000"),
        (forged(8), "gap"),
        (forged(5), "gap"),
        (forged(6), "hash chain is broken"),
    ],
    ids=["foreign frame", "sequence left out", "sequence twice", "other predecessor"],
)
async def test_a_whole_frame_that_does_not_belong_at_the_end_is_refused(
    tmp_path: Path, frame: bytes, reason: str
) -> None:
    folder = await written(tmp_path / "j", 3, 2)
    path = segment_files(folder)[0]
    offset, _, _, _ = frames_of(path)[-1]
    overwrite(path, offset + 4096, frame)
    assert reason in refused(folder).reason


async def test_stale_frames_beyond_the_end_are_refused(tmp_path: Path) -> None:
    folder = await written(tmp_path / "j", 3, 2)
    path = segment_files(folder)[0]
    overwrite(path, frames_of(path)[-1][0] + 3 * 4096, forged(6))
    assert "later frame follows" in refused(folder).reason


async def test_a_segment_header_that_breaks_the_chain_is_refused(tmp_path: Path) -> None:
    first = await written(tmp_path / "a", *[100] * 8)
    second = await written(tmp_path / "b", *[100] * 8, size_bytes=41)
    names = [path.name for path in segment_files(first)]
    assert names == [path.name for path in segment_files(second)]
    assert len(names) > 1
    shutil.copy(second / names[-1], first / names[-1])
    assert "hash chain" in refused(first).reason


async def test_the_clean_mark_makes_damage_of_the_last_group_corruption(tmp_path: Path) -> None:
    folder = tmp_path / "j"
    journal = open_journal(folder)
    journal.start(never)
    await write_groups(journal, 3, 2)
    await journal.close()
    path = segment_files(folder)[0]
    offset, body_bytes, _, _ = frames_of(path)[-1]
    overwrite(path, offset + body_bytes - 1, b"\xff")
    assert refused(folder).seq == 4
    overwrite(path, offset, bytes(4096))
    assert refused(folder).seq == 4


async def test_a_damaged_clean_mark_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "j"
    journal = open_journal(folder)
    journal.start(never)
    await journal.close()
    overwrite(folder / CLEAN_MARK_NAME, 5, b"\xff")
    assert "mark is damaged" in refused(folder).reason


async def test_what_another_process_is_writing_is_none_of_a_reader_of_the_past(tmp_path: Path) -> None:
    folder = await written(tmp_path, 3, 2, 4, 1)
    (path,) = segment_files(folder)
    offset, size_bytes, *_ = frames_of(path)[2]
    overwrite(path, offset, bytes(size_bytes))  # as it looks when a later frame was written between two reads
    with pytest.raises(JournalCorrupt):
        scan_journal(Disk(), folder, JOURNAL_ID, 5)
    scan = scan_journal(Disk(), folder, JOURNAL_ID, 5, up_to_seq=5)
    assert (scan.last_seq, scan.torn) == (5, None)
    with pytest.raises(JournalCorrupt):
        scan_journal(Disk(), folder, JOURNAL_ID, 5, up_to_seq=6)
