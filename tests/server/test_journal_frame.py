"""The codec: what goes in comes out, and one changed bit is always noticed."""

from server.journal_frame import (
    BLOCK_BYTES,
    ZERO_HASH,
    CleanMark,
    FrameHeader,
    SegmentHeader,
    checksum_is_compiled,
    decode_clean_mark,
    decode_frame_header,
    decode_segment_header,
    encode_clean_mark,
    encode_frame,
    encode_segment_header,
    frame_body_fault,
    frame_hash,
    split_payload,
)

JOURNAL_ID = bytes(range(16))


def encoded(records: list[bytes]) -> bytes:
    frame, _ = encode_frame(
        records,
        journal_id=JOURNAL_ID,
        engine_version=3,
        first_seq=11,
        durable_seq=10,
        previous_hash=ZERO_HASH,
    )
    return frame


def test_a_frame_gives_back_its_header_and_records() -> None:
    records = [b"one", b"", b"three" * 2000]
    frame, digest = encode_frame(
        records, journal_id=JOURNAL_ID, engine_version=3, first_seq=11, durable_seq=9, previous_hash=b"h" * 16
    )
    header = decode_frame_header(frame, 0)
    assert header == FrameHeader(1, JOURNAL_ID, 3, 3 * 4 + 3 + 10_000, 11, 13, 9, b"h" * 16)
    assert frame_body_fault(frame, 0, header) is None
    assert split_payload(frame, 0, header) == records
    assert len(frame) == header.size_bytes == 3 * BLOCK_BYTES
    assert digest == frame_hash(frame[: header.body_bytes])


def test_any_flipped_bit_of_a_frame_is_noticed() -> None:
    frame = encoded([b"cash", b"shares"])
    for place in range(len(frame)):
        damaged = bytearray(frame)
        damaged[place] ^= 1 << (place % 8)
        header = decode_frame_header(bytes(damaged), 0)
        assert header is None or frame_body_fault(bytes(damaged), 0, header) is not None, place


def test_a_frame_that_is_cut_anywhere_is_not_whole() -> None:
    frame = encoded([b"cash", b"shares"])
    whole = decode_frame_header(frame, 0)
    assert whole is not None
    for size in range(whole.body_bytes):
        cut = frame[:size]
        header = decode_frame_header(cut, 0)
        assert header is None or frame_body_fault(cut, 0, header) is not None, size


def test_record_lengths_that_pass_the_payload_are_refused() -> None:
    frame = encoded([b"abc", b"def"])
    header = decode_frame_header(frame, 0)
    assert header is not None
    longer = FrameHeader(1, JOURNAL_ID, 3, header.payload_bytes, 11, 13, 10, ZERO_HASH)
    assert split_payload(frame, 0, longer) is None


def test_segment_header_survives_and_notices_damage() -> None:
    header = SegmentHeader(JOURNAL_ID, 4, 1001, 1 << 26, b"p" * 16)
    block = encode_segment_header(header)
    assert len(block) == BLOCK_BYTES
    assert decode_segment_header(block) == header
    for place in (0, 9, 30, 70, 100, 4095):
        damaged = bytearray(block)
        damaged[place] ^= 4
        assert decode_segment_header(bytes(damaged)) is None, place


def test_clean_mark_survives_and_notices_damage() -> None:
    mark = CleanMark(JOURNAL_ID, 77, b"z" * 16)
    data = encode_clean_mark(mark)
    assert decode_clean_mark(data) == mark
    for place in range(len(data)):
        damaged = bytearray(data)
        damaged[place] ^= 128
        assert decode_clean_mark(bytes(damaged)) is None, place
    assert decode_clean_mark(data[:-1]) is None


def test_checksums_run_as_machine_code() -> None:
    assert checksum_is_compiled()
