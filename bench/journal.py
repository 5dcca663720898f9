"""Measures the journal: append → durable with one record in flight against the bare syscalls, saturation, reading.

python -m bench.journal [FOLDER]        the folder must lie on the disk that is to be measured
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import uvloop

from bench.figures import median_ratio, report
from server.disk import Disk
from server.journal import Journal
from server.journal_frame import BLOCK_BYTES

RECORD = b"r" * 300
JOURNAL_ID = bytes(16)
ROUNDS = 5
IN_FLIGHT_PER_ROUND = 400
APPEND_BURSTS = 100
SATURATED_RECORDS = 200_000
READ_RECORDS = 1_000_000


def open_journal(folder: Path) -> Journal:
    return Journal.open(folder, 0, journal_id=JOURNAL_ID, engine_version=1)


def fail(error: Exception) -> None:
    raise SystemExit(f"the journal failed: {error}")


def bare_sync_us(fd: int, disk: Disk, start_block: int) -> list[float]:
    """Microseconds of pwrite + fdatasync of one block, the size that one record makes."""
    frame = RECORD.ljust(BLOCK_BYTES, b"\0")
    took = []
    for block in range(start_block, start_block + IN_FLIGHT_PER_ROUND):
        begun = time.perf_counter()
        disk.write_all(fd, frame, block * BLOCK_BYTES)
        disk.fdatasync(fd)
        took.append((time.perf_counter() - begun) * 1e6)
    return took


async def one_in_flight_us(journal: Journal) -> list[float]:
    """Microseconds from append to the waiter's wake-up, one record at a time."""
    took = []
    for _ in range(IN_FLIGHT_PER_ROUND):
        begun = time.perf_counter()
        journal.append(journal.appended_seq + 1, RECORD)
        await journal.wait_durable(journal.appended_seq)
        took.append((time.perf_counter() - begun) * 1e6)
    return took


async def measure_latency(folder: Path) -> None:
    """Interleaved rounds of the journal and of the bare syscalls; medians over the rounds."""
    disk = Disk()
    fd = disk.create(folder / "bare")
    disk.write_zeros(fd, 0, ROUNDS * IN_FLIGHT_PER_ROUND * BLOCK_BYTES)
    disk.fdatasync(fd)
    journal = open_journal(folder / "latency")
    journal.start(fail)
    bare, durable, worst = [], [], []
    for turn in range(ROUNDS):
        bare.append(statistics.median(bare_sync_us(fd, disk, turn * IN_FLIGHT_PER_ROUND)))
        took = sorted(await one_in_flight_us(journal))
        durable.append(statistics.median(took))
        worst.append(took[int(0.99 * len(took))])
    await journal.close()
    disk.close(fd)
    report(
        "journal_one_in_flight",
        statistics.median(durable),
        "us_p50",
        peer=statistics.median(bare),
        ratio=median_ratio(durable, bare),
        p99_us=statistics.median(worst),
    )


async def measure_append(folder: Path) -> None:
    """Nanoseconds of one `append` on the loop thread, in bursts as one turn of the loop makes them."""
    journal = open_journal(folder / "append")
    journal.start(fail)
    rounds = []
    for _ in range(ROUNDS):
        for _ in range(APPEND_BURSTS):
            burst = range(journal.appended_seq + 1, journal.appended_seq + 201)
            begun = time.perf_counter()
            for seq in burst:
                journal.append(seq, RECORD)
            rounds.append((time.perf_counter() - begun) / len(burst) * 1e9)
            await journal.wait_durable(journal.appended_seq)
    await journal.close()
    report("journal_append", statistics.median(rounds), "ns")


async def saturate(journal: Journal, clients: int) -> None:
    """`clients` tasks that each append a record, wait until it is durable, and go on."""

    async def client(count: int) -> None:
        for _ in range(count):
            seq = journal.appended_seq + 1
            journal.append(seq, RECORD)
            await journal.wait_durable(seq)

    await asyncio.gather(*(client(SATURATED_RECORDS // clients) for _ in range(clients)))


async def measure_saturated(folder: Path) -> None:
    """Records a second with 64 and with 1 000 waiters that each have one record in flight."""
    for clients in (64, 1000):
        journal = open_journal(folder / f"saturated-{clients}")
        journal.start(fail)
        groups: list[int] = []
        journal.on_durable(groups.append)
        begun = time.perf_counter()
        await saturate(journal, clients)
        took_s = time.perf_counter() - begun
        await journal.close()
        report(
            f"journal_saturated_{clients}",
            SATURATED_RECORDS / took_s,
            "records/s",
            records_per_group=journal.durable_seq / len(groups),
        )


async def measure_read(folder: Path) -> None:
    """Seconds to check and to read a journal of a million records of 200 bytes, in groups of a hundred or more."""
    journal = open_journal(folder / "read")
    journal.start(fail)
    record = b"r" * 200
    while journal.appended_seq < READ_RECORDS:
        for seq in range(journal.appended_seq + 1, journal.appended_seq + 101):
            journal.append(seq, record)
        await asyncio.sleep(0)
    await journal.wait_durable(READ_RECORDS)
    await journal.close()
    begun = time.perf_counter()
    again = open_journal(folder / "read")
    opened_s = time.perf_counter() - begun
    begun = time.perf_counter()
    count = sum(1 for _ in again.read(1))
    read_s = time.perf_counter() - begun
    await again.close()
    if count != READ_RECORDS:
        raise SystemExit(f"read {count} of {READ_RECORDS} records")
    report("journal_read", count / read_s, "records/s", records=count, open_s=opened_s, read_s=read_s)


async def measure(folder: Path) -> None:
    await measure_latency(folder)
    await measure_append(folder)
    await measure_saturated(folder)
    await measure_read(folder)


def main() -> None:
    sys.setswitchinterval(0.0005)
    parent = sys.argv[1] if len(sys.argv) > 1 else os.getcwd()
    with tempfile.TemporaryDirectory(dir=parent, prefix="bench-journal-") as folder:
        uvloop.run(measure(Path(folder)))


if __name__ == "__main__":
    main()
