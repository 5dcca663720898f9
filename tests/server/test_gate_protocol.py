"""The gates' protocol, and the vectors that docs/gates.md publishes: computed here as its text says, and by ours."""

from __future__ import annotations

import hashlib
import hmac
import json
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.parking.gate_kinds import CredentialKind
from server import gate_messages as messages
from server import gate_protocol as protocol
from server.gate_protocol import Fault, LineReader, ProtocolError

PAGE = Path(__file__).resolve().parents[2] / "docs" / "gates.md"
KEY = bytes(range(32))
CODER = protocol.LineCoder(KEY, protocol.TO_SERVER)
SCAN = b'{"type":"scan","n":7,"tag":"E280","lane":1,"at":"2026-01-15T08:00:01Z"'


class Vectors(NamedTuple):
    """What the page's block says; `lines` are (to the server, line)."""

    secret: bytes
    session: bytes
    lines: list[tuple[bool, bytes]]


def vectors() -> Vectors:
    block = PAGE.read_text().split("```vectors\n")[1].split("```")[0].splitlines()
    secret, session = (bytes.fromhex(line.split()[-1]) for line in block[:2])
    return Vectors(secret, session, [(line[0] == "→", line[2:].encode()) for line in block[2:]])


def hmac_hex(key: bytes, message: bytes) -> str:
    """HMAC as RFC 2104 writes it, without the library's."""
    padded = key.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(each ^ 0x36 for each in padded) + message).digest()
    return hashlib.sha256(bytes(each ^ 0x5C for each in padded) + inner).hexdigest()


def test_the_published_session_is_what_the_page_says() -> None:
    secret, session, lines = vectors()
    hello, challenge, proof, welcome = (json.loads(line) for _, line in lines[:4])
    nonces = bytes.fromhex(hello["nonce"]) + bytes.fromhex(challenge["nonce"])
    handshake = hello["gate_id"].encode() + nonces
    assert hmac_hex(secret, b"kerb-gate-1 session" + handshake) == session.hex()
    assert hmac_hex(secret, b"kerb-gate-1 gate" + handshake) == proof["mac"]
    assert hmac_hex(secret, b"kerb-gate-1 server" + handshake) == welcome["mac"]
    assert hmac_hex(session, b"s2g" + lines[3][1].split(b',"line_mac"')[0]) == welcome["line_mac"]
    for to_server, line in lines[4:]:
        label = b"g2s" if to_server else b"s2g"
        assert hmac_hex(session, label + line.split(b',"mac"')[0]) == json.loads(line)["mac"], line


def test_the_published_session_has_every_type_of_line() -> None:
    types = {(to_server, json.loads(line)["type"]) for to_server, line in vectors().lines}
    to_server = {"hello", "proof", "scan", "passed", "not_passed", "heartbeat", "offline_events"}
    to_gate = {"challenge", "welcome", "decision", "ack", "heartbeat", "command", "allow_list"}
    assert types == {(True, name) for name in to_server} | {(False, name) for name in to_gate}


def test_we_make_and_read_the_published_session() -> None:
    secret, session, lines = vectors()
    hello = messages.decode_hello(lines[0][1])
    server_nonce = json.loads(lines[1][1])["nonce"]
    assert protocol.plain(hello) == lines[0][1] + b"\n"
    assert protocol.plain(messages.Challenge(server_nonce)) == lines[1][1] + b"\n"
    handshake = protocol.handshake_text(
        hello.gate_id, bytes.fromhex(hello.nonce), bytes.fromhex(server_nonce)
    )
    assert protocol.session_key(secret, handshake) == session
    assert protocol.same(messages.decode_proof(lines[2][1]), protocol.gate_proof(secret, handshake))
    members = json.loads(lines[3][1])
    welcome = messages.Welcome(
        **{name: members[name] for name in members if name not in ("type", "mac", "line_mac")}
    )
    welcome = messages.signed(protocol.LineCoder(session, protocol.TO_GATE), welcome)
    assert protocol.with_proof(welcome, protocol.server_proof(secret, handshake)) == lines[3][1] + b"\n"
    for to_server, line in lines[4:]:
        if to_server:
            message = messages.decode_from_gate(
                protocol.unseal(protocol.LineCoder(session, protocol.TO_SERVER), line)
            )
            assert message.n == json.loads(line)["n"]
        else:
            sent = messages.decode_from_server(
                protocol.unseal(protocol.LineCoder(session, protocol.TO_GATE), line)
            )
            assert protocol.seal(protocol.LineCoder(session, protocol.TO_GATE), sent) == line + b"\n"


@given(st.binary(max_size=20_000), st.lists(st.integers(0, 20_000)))
def test_lines_are_the_same_however_the_bytes_arrive(data: bytes, cuts: list[int]) -> None:
    whole = [line for line in data.split(b"\n")[:-1] if len(line) < protocol.LINE_MAX]
    too_long = any(len(line) >= protocol.LINE_MAX for line in data.split(b"\n"))
    reader, read = LineReader(), []
    fault = None
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    try:
        for begin, end in pairwise(edges):
            read += reader.feed(data[begin:end])
    except ProtocolError as error:
        fault = error.fault
    assert fault is (Fault.LINE_TOO_LONG if too_long else None)
    if not too_long:
        assert read == whole


@pytest.mark.parametrize(("length", "fits"), [(4_095, True), (4_096, False)])
def test_a_line_has_at_most_4096_bytes_with_its_line_feed(length: int, fits: bool) -> None:
    reader = LineReader()
    if fits:
        assert reader.feed(b"x" * length + b"\n") == [b"x" * length]
    else:
        with pytest.raises(ProtocolError):
            reader.feed(b"x" * length)


def test_no_changed_bit_of_a_line_is_taken() -> None:
    line = SCAN + b',"mac":"' + protocol.mac_hex(KEY, b"g2s" + SCAN) + b'"}'
    assert protocol.unseal(CODER, line) == SCAN
    for index in range(len(line)):
        for bit in range(8):
            flipped = bytearray(line)
            flipped[index] ^= 1 << bit
            with pytest.raises(ProtocolError) as caught:
                protocol.unseal(CODER, bytes(flipped))
            assert caught.value.fault is Fault.WRONG_MAC


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (
            SCAN + b',"mac":"' + hmac.digest(KEY, b"s2g" + SCAN, "sha256").hex().encode() + b'"}',
            "the other way's label",
        ),
        (SCAN + b',"mac":"' + protocol.mac_hex(KEY, b"g2s" + SCAN).upper() + b'"}', "upper case"),
        (SCAN + b', "mac":"' + protocol.mac_hex(KEY, b"g2s" + SCAN) + b'"}', "white space"),
        (SCAN + b',"mac":"' + protocol.mac_hex(KEY, b"g2s" + SCAN) + b'"} ', "something after it"),
        (SCAN + b',"mac":"' + protocol.mac_hex(KEY, b"g2s" + SCAN)[:-1] + b'"}', "a digit short"),
        (SCAN + b',"mac":""}', "empty"),
        (SCAN + b"}", "missing"),
        (b"", "an empty line"),
    ],
)
def test_a_code_that_is_not_the_last_member_in_its_form_is_wrong(line: bytes, why: str) -> None:
    with pytest.raises(ProtocolError):
        protocol.unseal(CODER, line)


@pytest.mark.parametrize(
    "body",
    [
        b'{"type":"scan","n":0,"tag":"E2","lane":1,"at":"2026-01-15T08:00:01Z"',
        b'{"type":"scan","n":9007199254740992,"tag":"E2","lane":1,"at":"2026-01-15T08:00:01Z"',
        b'{"type":"scan","n":"1","tag":"E2","lane":1,"at":"2026-01-15T08:00:01Z"',
        b'{"type":"scan","n":1,"tag":"E2","lane":0,"at":"2026-01-15T08:00:01Z"',
        b'{"type":"scan","n":1,"tag":"E2","lane":1,"at":"2026-01-15T08:00:01"',
        b'{"type":"scan","n":1,"tag":"E2","at":"2026-01-15T08:00:01Z"',
        b'{"type":"hello","n":1',
        b'{"type":"open","n":1',
        b'{"n":1',
        b"[1",
        b'{"type":"heartbeat","n":1}',
        b'{"type":"heartbeat","n":1,' + b'"a":[' * 700,
        b'\xff\xfe{"type":"heartbeat","n":1',
    ],
)
def test_a_line_that_is_no_message_is_refused_even_with_a_right_code(body: bytes) -> None:
    with pytest.raises(ProtocolError) as caught:
        messages.decode_from_gate(body)
    assert caught.value.fault is Fault.BAD_LINE


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b'{"type":"hello","gate_id":"gat_1","nonce":"00","firmware":"","protocol":1}', Fault.BAD_LINE),
        (
            b'{"type":"hello","gate_id":"1","nonce":"%b","firmware":"","protocol":1}' % (b"0" * 32),
            Fault.BAD_LINE,
        ),
        (
            b'{"type":"hello","gate_id":"gat_1","nonce":"%b","firmware":"","protocol":0}' % (b"0" * 32),
            Fault.WRONG_PROTOCOL,
        ),
        (
            b'{"type":"hello","gate_id":"gat_1","nonce":"%b","firmware":"","protocol":2}' % (b"0" * 32),
            Fault.WRONG_PROTOCOL,
        ),
        (b'{"type":"proof","mac":"%b"}' % (b"0" * 64), Fault.BAD_LINE),
        (b"GET / HTTP/1.1\r", Fault.BAD_LINE),
        (b"", Fault.BAD_LINE),
    ],
)
def test_a_bad_hello_is_refused(line: bytes, fault: Fault) -> None:
    with pytest.raises(ProtocolError) as caught:
        messages.decode_hello(line)
    assert caught.value.fault is fault


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b'"E2801160"', "E2801160"),
        (b'"' + b"A" * 62 + b'"', "A" * 62),
        (b'"' + b"A" * 64 + b'"', ""),
        (b'"E280116"', ""),
        (b'"E28011"', ""),
        (b'"e2801160"', ""),
        (b'"E2801160\\u0000"', ""),
        (b'"\'; DROP TABLE tags; --"', ""),
        (b'"\xff\xfe\xfd\xfc"', ""),
        (b"12345678", ""),
        (b'["E2801160"]', ""),
        (b"null", ""),
    ],
)
def test_a_tag_is_upper_case_hexadecimal_digits_or_nothing(raw: bytes, text: str) -> None:
    body = b'{"type":"scan","n":1,"lane":1,"at":"2026-01-15T08:00:01Z","tag":' + raw
    scan = messages.decode_from_gate(body)
    assert isinstance(scan, messages.Scan)
    assert messages.credential_of(scan) == (CredentialKind.TAG, text)


def test_times_are_exact() -> None:
    body = b'{"type":"passed","n":1,"lane":1,"at":"2026-01-15T09:00:01.000001+01:00"'
    passed = messages.decode_from_gate(body)
    assert isinstance(passed, messages.Passed)
    assert messages.time_text(messages.epoch_us(passed.at)) == "2026-01-15T08:00:01.000001Z"


@pytest.mark.parametrize("label", [protocol.TO_SERVER, protocol.TO_GATE])
def test_a_code_is_the_hmac_of_label_and_line(label: bytes) -> None:
    """Of lines around the hash's block of 64 bytes, and of the longest, by one coder in a row."""
    coder = protocol.LineCoder(KEY, label)
    for length in (0, 1, 52, 53, 60, 61, 64, 125, 128, 4_020):
        body = bytes(at % 251 for at in range(length))
        assert coder.code(body).decode() == hmac_hex(KEY, label + body), length
    with pytest.raises(ValueError, match="a key of 65 bytes"):
        protocol.LineCoder(bytes(65), label)
