"""Start and stop as a supervisor sees them: readiness, draining, signals, exit codes."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import zipfile
from pathlib import Path

import aiohttp
import asyncpg
import pytest

from server.exit_codes import ExitCode
from server.journal_scan import CLEAN_MARK_NAME
from tests.kerb_process import KerbProcess, running_kerb


async def test_it_serves_until_sigterm_and_leaves_a_clean_mark(
    kerb: KerbProcess, http: aiohttp.ClientSession
) -> None:
    assert (await kerb.anonymous(http)("GET", "/healthz", root=True)).status == 200
    ready = await kerb.anonymous(http)("GET", "/readyz", root=True)
    assert (ready.status, ready.json["database"]) == (200, "ok")
    user = await kerb.register(http, "someone@example.com", "500.25")
    assert await kerb.stop() == ExitCode.OK
    assert (kerb.data_dir / "journal" / CLEAN_MARK_NAME).exists()
    await kerb.start()
    user.base = kerb.url
    assert (await user("GET", "/wallet/balance")).data["balance"] == 500.25
    await kerb.verify()


async def test_a_second_kerb_on_the_folder_is_refused_and_told_who_is_there(
    kerb: KerbProcess,
) -> None:
    code, output = await kerb.run("serve")
    assert code == ExitCode.LOCKED
    assert f"process {kerb.pid}" in output
    assert "Traceback" not in output


async def test_a_database_of_another_journal_is_refused(
    kerb: KerbProcess, tmp_path: Path, database_dsn: str
) -> None:
    await kerb.stop()
    stranger = KerbProcess(tmp_path / "other", KERB_DATABASE_URL=database_dsn)
    code, output = await stranger.run("serve")
    assert code == ExitCode.FOREIGN_JOURNAL
    assert "To adopt this journal" in output


async def test_a_taken_port_is_a_mistake_of_config(
    kerb: KerbProcess, tmp_path: Path, empty_database_dsn: str
) -> None:
    port = kerb.url.rpartition(":")[2]
    other = KerbProcess(tmp_path / "other", KERB_DATABASE_URL=empty_database_dsn, KERB_HTTP__PORT=port)
    code, output = await other.run("serve")
    assert code == ExitCode.CONFIG
    assert f"cannot listen on 127.0.0.1:{port}" in output


async def test_production_wants_its_schema_migrated_by_hand(tmp_path: Path, empty_database_dsn: str) -> None:
    environ = {"KERB_AUTH__JWT_SECRET": secrets.token_urlsafe(40), "KERB_AUTH__BCRYPT_ROUNDS": "12"}
    process = KerbProcess(tmp_path / "kerb", KERB_DATABASE_URL=empty_database_dsn, **environ)
    with pytest.raises(AssertionError, match=r"run `run\.py migrate` first"):
        await process.start(mode="production")


async def test_a_half_sent_body_holds_no_drain_up(kerb: KerbProcess, http: aiohttp.ClientSession) -> None:
    user = await kerb.register(http, "someone@example.com", "500")
    reader, slow = await asyncio.open_connection("127.0.0.1", int(kerb.url.rpartition(":")[2]))
    slow.write(
        b"POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
        b"Authorization: Bearer %b\r\nContent-Length: 100\r\n\r\n{" % user.token.encode()
    )
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert await kerb.stop() == ExitCode.OK
    assert b"SHUTTING_DOWN" in await reader.read()
    slow.close()


async def test_a_second_signal_ends_a_drain_that_hangs(database_dsn: str, tmp_path: Path) -> None:
    patient = {"KERB_DATABASE_URL": database_dsn, "KERB_HTTP__SHUTDOWN_S": "3600"}
    async with running_kerb(tmp_path / "kerb", **patient) as kerb:
        with socket.socket() as deaf:  # has asked for more than the kernel takes for it, and does not read
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            deaf.connect(("127.0.0.1", int(kerb.url.rpartition(":")[2])))
            deaf.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n")
            assert await asyncio.to_thread(deaf.recv, 1) == b"H"
            process = kerb.process
            assert process is not None
            ended = asyncio.ensure_future(process.communicate())
            while process.returncode is None:
                process.send_signal(signal.SIGTERM)
                await asyncio.wait((ended,), timeout=0.05)
            await ended
        assert process.returncode == ExitCode.INTERRUPTED
        assert "second signal: ending at once" in kerb.log.read_text()
        await kerb.start()
        await kerb.verify()


async def test_a_closed_terminal_drains(kerb: KerbProcess) -> None:
    assert await kerb.end(signal.SIGHUP) == ExitCode.OK
    assert (kerb.data_dir / "journal" / CLEAN_MARK_NAME).exists()


async def test_who_ignores_the_end_of_the_terminal_goes_on(database_dsn: str, tmp_path: Path) -> None:
    kerb = KerbProcess(tmp_path / "kerb", KERB_DATABASE_URL=database_dsn)
    await kerb.start("nohup")
    status = Path(f"/proc/{kerb.pid}/status").read_text(encoding="ascii")
    assert await kerb.stop() == ExitCode.OK
    ignored = int(status.partition("SigIgn:")[2].split()[0], 16)
    assert ignored >> (signal.SIGHUP - 1) & 1


async def test_systemd_is_told_when_it_is_ready_alive_and_stopping(database_dsn: str, tmp_path: Path) -> None:
    address = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(address))
        manager.settimeout(30)
        environ = {"NOTIFY_SOCKET": str(address), "WATCHDOG_USEC": "300000"}
        async with running_kerb(tmp_path / "kerb", KERB_DATABASE_URL=database_dsn, **environ) as kerb:
            ready = (await asyncio.to_thread(manager.recv, 4096)).decode()
            assert ready == f"READY=1\nSTATUS=serving {kerb.url}"
            assert await asyncio.to_thread(manager.recv, 4096) == b"WATCHDOG=1"
            os.kill(kerb.pid, signal.SIGTERM)
            while (message := await asyncio.to_thread(manager.recv, 4096)) == b"WATCHDOG=1":
                pass
            assert message == b"STOPPING=1\nSTATUS=draining"


async def test_an_operator_is_made_on_the_command_line(
    kerb: KerbProcess, http: aiohttp.ClientSession
) -> None:
    user = await kerb.register(http, "someone@example.com")
    halt = ("POST", "/admin/instruments/AAPL/halt", {"reason": "news"})
    assert (await user(*halt)).status == 403
    code, output = await kerb.run("roles", "nobody@example.com", "admin")
    assert (code, output) == (78, "kerb: nobody@example.com: nobody is registered with this address\n")
    code, output = await kerb.run("roles", "someone@example.com", "king")
    assert code == ExitCode.CONFIG
    assert "king: is not a role" in output
    assert await kerb.run("roles", "SOMEONE@example.com", "trader", "admin") == (
        0, "SOMEONE@example.com has the roles trader, admin\n",
    )  # fmt: skip
    user = await kerb.sign_in(http, "someone@example.com", user.password)
    assert (await user(*halt)).status == 200


async def test_drain_leaves_nothing_to_replay(kerb: KerbProcess, http: aiohttp.ClientSession) -> None:
    await kerb.register(http, "someone@example.com", "77")
    await kerb.kill()
    code, output = await kerb.run("drain")
    assert code == ExitCode.OK
    assert output.splitlines()[-1].startswith("everything up to sequence ")
    await kerb.start()
    assert "0 records replayed" in kerb.log.read_text().splitlines()[-1]


async def test_verify_names_the_rows_that_are_wrong(
    kerb: KerbProcess, http: aiohttp.ClientSession, database_dsn: str
) -> None:
    user = await kerb.register(http, "someone@example.com", "77")
    await kerb.stop()
    connection = await asyncpg.connect(database_dsn)
    await connection.execute(
        "UPDATE wallets SET balance_e4 = balance_e4 + 1 WHERE account_id = $1", user.account_id
    )
    await connection.close()
    code, output = await kerb.run("verify")
    assert code == 1
    assert str(user.account_id) in output
    assert "rows are wrong" in output


async def test_a_signal_during_the_start_stops_it_cleanly(tmp_path: Path, database_dsn: str) -> None:
    kerb = KerbProcess(tmp_path / "kerb", KERB_DATABASE_URL=database_dsn)
    starting = asyncio.create_task(kerb.start())
    while not kerb.log.exists() or b"state loaded" not in kerb.log.read_bytes():
        await asyncio.sleep(0.002)
    os.kill(kerb.pid, signal.SIGTERM)
    with pytest.raises(AssertionError, match="exit code 0"):
        await starting
    await kerb.start()
    assert await kerb.stop() == ExitCode.OK
    await kerb.verify()


def tape_of(folder: Path, day: str) -> str:
    """A recorded day of AIG with a single trade, right after its session has begun."""
    path = folder / f"aig_{day}_trade.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tape.csv", "34200000,480000,10,P,0,0\n")
    return str(path)


async def test_a_replay_does_not_take_the_folder_of_wall_time(
    kerb: KerbProcess, tmp_path: Path, database_dsn: str
) -> None:
    await kerb.stop()
    replay = KerbProcess(
        kerb.data_dir, KERB_DATABASE_URL=database_dsn, KERB_MARKET__FEED=tape_of(tmp_path, "20131009")
    )
    code, output = await replay.run("serve")
    assert code == ExitCode.CONFIG
    assert "which is past the beginning of the recorded day 2013-10-09 of AIG" in output
    assert "Traceback" not in output
    await kerb.start()
    await kerb.verify()


async def test_wall_time_does_not_take_the_folder_of_a_day_to_come_which_goes_on_after_a_kill(
    tmp_path: Path, database_dsn: str
) -> None:
    feed = tape_of(tmp_path, "20991009")
    folder = tmp_path / "kerb"
    async with running_kerb(folder, KERB_DATABASE_URL=database_dsn, KERB_MARKET__FEED=feed) as kerb:
        await kerb.kill()
        code, output = await KerbProcess(folder, KERB_DATABASE_URL=database_dsn).run("serve")
        assert code == ExitCode.CONFIG
        assert "stands at 2099-10-09 13:" in output
        await kerb.start()
        assert await kerb.stop() == ExitCode.OK
        await kerb.verify()


async def test_a_disk_without_room_at_the_start_is_named_and_is_not_taken_for_the_database(
    tmp_path: Path, database_dsn: str
) -> None:
    kerb = KerbProcess(tmp_path / "kerb", KERB_DATABASE_URL=database_dsn)
    no_room = ("sh", "-c", 'ulimit -f 200; exec "$@"', "sh")  # a segment of the journal is larger
    with pytest.raises(
        AssertionError, match=rf"exit code {ExitCode.JOURNAL_IO}\n.*the data folder .*/kerb: "
    ):
        await kerb.start(*no_room)
    await kerb.start()
    assert await kerb.stop() == ExitCode.OK


async def test_a_damaged_secret_is_named_with_what_to_do(kerb: KerbProcess) -> None:
    await kerb.stop()
    secret = kerb.data_dir / "jwt_secret"
    secret.write_text("")
    code, output = await kerb.run("serve")
    assert code == ExitCode.CONFIG
    assert f"kerb: {secret} is not a secret of Kerb; remove it and everybody signs in again\n" in output
    assert "Traceback" not in output
