"""LLRP as bytes. The vectors are worked out by hand from the specification's figures, and agree with an independent decoder."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.llrp_codec import (
    MESSAGE_MAX,
    TV_BYTES,
    Kind,
    LlrpError,
    LlrpFault,
    Message,
    MessageReader,
    Parameter,
    Status,
    TagReport,
    attempt_of,
    encode,
    keepalive_config,
    output_config,
    parameters,
    rospec,
    rospec_id,
    status,
    status_of,
    tag_report,
    tag_reports,
    tlv,
    tv,
)

TAG = TagReport("E28011600000000000000001", 2, 1_768_464_000_000_000, -55)
SHORT = TagReport("E2801160", 1)


@pytest.mark.parametrize(
    ("kind", "body", "sent"),
    [
        # header: version 1, type 3; 20 bytes; message 7 | nothing is reset | KeepaliveSpec: periodic, 5 000 ms
        (Kind.SET_READER_CONFIG, keepalive_config(5_000), "0403 00000014 00000007 00 00dc0009 01 00001388"),
        # GPOWriteData: port 2, the highest bit is the level
        (Kind.SET_READER_CONFIG, output_config(2, True), "0403 00000012 00000007 00 00db0007 0002 80"),
        (Kind.SET_READER_CONFIG, output_config(2, False), "0403 00000012 00000007 00 00db0007 0002 00"),
        (Kind.DELETE_ROSPEC, rospec_id(0), "0415 0000000e 00000007 00000000"),
        (Kind.ENABLE_ROSPEC, rospec_id(1), "0418 0000000e 00000007 00000001"),
        (Kind.START_ROSPEC, rospec_id(1), "0416 0000000e 00000007 00000001"),
        (
            Kind.ADD_ROSPEC,
            rospec(),
            (
                "0414 0000004b 00000007"  # 75 bytes in all
                "00b10041 00000001 00 00"  # ROSpec 1, priority 0, disabled
                "00b20012 00b30005 00 00b60009 00 00000000"  # boundary: no start trigger, no stop trigger
                "00b70018 0001 0000 00b80009 00 00000000 00ba0007 0001 01"  # AISpec: antenna 0 is all; Gen 2
                "00ed000d 01 0001 00ee0006 1600"  # report each tag, with antenna, RSSI and when it was first seen
            ),
        ),
        (Kind.KEEPALIVE_ACK, b"", "0448 0000000a 00000007"),
        (Kind.CLOSE_CONNECTION, b"", "040e 0000000a 00000007"),
        (
            Kind.RO_ACCESS_REPORT,
            tag_report(TAG) + tag_report(SHORT),
            (
                "043d 0000003a 00000007"
                "00f0001f 8d e28011600000000000000001 81 0002 86 c9 82 000648689c84a000"
                "00f00011 00f1000a 0020 e2801160 81 0001"
            ),
        ),
        (
            Kind.ADD_ROSPEC_RESPONSE,
            status(Status(100, "no")),
            "041e 00000014 00000007 011f000a 0064 0002 6e6f",
        ),
    ],
)
def test_messages_are_the_bytes_of_the_specification(kind: Kind, body: bytes, sent: str) -> None:
    message = Message(kind, 7, body)
    assert encode(message) == bytes.fromhex(sent)
    assert list(MessageReader().feed(bytes.fromhex(sent))) == [message]


def test_a_report_is_read_with_what_kerb_has_not_asked_for() -> None:
    inner = (
        tv(9, bytes(4)) + tv(Parameter.EPC_96, bytes.fromhex(TAG.epc)) + tv(8, b"\0\5") + tlv(1023, b"abc")
    )
    body = tlv(242, b"?") + tlv(Parameter.TAG_REPORT_DATA, inner)
    assert tag_reports(body) == [TagReport(TAG.epc)]


epcs = st.binary(max_size=31).map(lambda epc: epc.hex().upper())
reports = st.builds(
    TagReport,
    epcs,
    st.integers(0, 65_535),
    st.integers(0, 2**64 - 1),
    st.none() | st.integers(-128, 127),
)
messages = st.builds(
    Message,
    st.integers(0, 1_023),
    st.integers(0, 2**32 - 1),
    st.binary(max_size=300),
    st.sampled_from([1, 2]),
)


@given(st.lists(reports, max_size=8))
def test_reports_come_back_as_they_were_sent(sent: list[TagReport]) -> None:
    assert tag_reports(b"".join([tag_report(each) for each in sent])) == sent


@given(st.lists(messages, max_size=5), st.lists(st.integers(1, 400), max_size=20))
def test_messages_come_back_however_the_stream_is_cut(sent: list[Message], cuts: list[int]) -> None:
    stream = b"".join([encode(each) for each in sent])
    reader, got = MessageReader(), list[Message]()
    for cut in cuts:
        got += reader.feed(stream[:cut])
        stream = stream[cut:]
    assert [*got, *reader.feed(stream)] == sent


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    for read in (tag_reports, status_of, attempt_of, lambda body: list(parameters(body))):
        with suppress(LlrpError):  # anything else is a bug
            read(body)


@given(reports, st.data())
def test_a_report_that_is_cut_off_is_refused(report: TagReport, data: st.DataObject) -> None:
    whole = tag_report(report)
    with pytest.raises(LlrpError):
        tag_reports(whole[: data.draw(st.integers(1, len(whole) - 1))])


@pytest.mark.parametrize(
    ("header", "fault"),
    [
        ("043d 00000009 00000001", LlrpFault.BAD_LENGTH),
        (f"043d {MESSAGE_MAX + 1:08x} 00000001", LlrpFault.BAD_LENGTH),
        ("043d ffffffff 00000001", LlrpFault.BAD_LENGTH),
        ("003d 0000000a 00000001", LlrpFault.BAD_VERSION),
        ("4745 5420 2f20 4854 5450", LlrpFault.BAD_LENGTH),  # GET / HTTP
    ],
)
def test_a_header_that_no_reader_sends_is_refused_before_its_body_comes(
    header: str, fault: LlrpFault
) -> None:
    with pytest.raises(LlrpError) as refused:
        list(MessageReader().feed(bytes.fromhex(header)))
    assert refused.value.fault is fault


@pytest.mark.parametrize(
    "body",
    [
        "00f0 0003 00",  # shorter than its own header
        "00f0 0000",
        "00f0 ffff 00",  # longer than what there is
        "00f0",
        "00f0 0005 95",  # a TV of type 21: nobody knows how long it is
        "00f0 0005 8d",  # EPC-96 without its bytes
        "00f0 0009 00f10005 00",  # EPCData without its number of bits
        "00f0 000b 00f10007 0020 e2",  # 32 bits in one byte
    ],
)
def test_parameters_that_are_not_whole_are_refused(body: str) -> None:
    with pytest.raises(LlrpError) as refused:
        tag_reports(bytes.fromhex(body))
    assert refused.value.fault is LlrpFault.BAD_PARAMETER


def test_an_epc_of_an_odd_number_of_bits_has_its_last_byte() -> None:
    body = bytes.fromhex("00f0000d 00f10009 0012 e28040")
    assert tag_reports(body) == [TagReport("E28040")]


def test_what_a_reader_says_is_cut_and_has_no_control_characters() -> None:
    assert status_of(status(Status(101, "\x1b[31mno\n" + "x" * 500))) == Status(101, "?[31mno?" + "x" * 192)
    assert status_of(tlv(Parameter.LLRP_STATUS, bytes(4))) == Status(0)


@pytest.mark.parametrize(
    ("event", "said"), [("0100 0006 0000", 0), ("0100 0006 0003", 3), ("00ff 0007 010001", None)]
)
def test_whether_a_reader_admits_us(event: str, said: int | None) -> None:
    stamp = tlv(128, bytes(8))
    body = tlv(Parameter.READER_EVENT_NOTIFICATION_DATA, stamp + bytes.fromhex(event))
    assert attempt_of(body) == said


def test_lengths_of_tv_parameters_are_those_of_the_specification() -> None:
    assert len(TV_BYTES) == 20
    assert {kind for kind, size in TV_BYTES.items() if size == 8} == {2, 3, 4, 5}
    assert (TV_BYTES[13], TV_BYTES[6], TV_BYTES[9], TV_BYTES[16], TV_BYTES[18]) == (12, 1, 4, 4, 4)
