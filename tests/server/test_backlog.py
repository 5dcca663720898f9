"""The backlog's limits close the runtime's gate, and open it with a distance."""

from __future__ import annotations

from server.backlog import Backlog
from server.runtime import Gate


def test_the_gate_follows_the_backlog() -> None:
    backlog = Backlog(soft_bytes=1_000, hard_bytes=2_000)
    rows = [
        # backlog in bytes, gate
        (0, Gate.OPEN),
        (1_000, Gate.OPEN),
        (1_001, Gate.NO_NEW_ORDERS),
        (2_001, Gate.READ_ONLY),
        (1_700, Gate.READ_ONLY),
        (1_600, Gate.NO_NEW_ORDERS),
        (900, Gate.NO_NEW_ORDERS),
        (2_000, Gate.NO_NEW_ORDERS),
        (800, Gate.OPEN),
        (1_000, Gate.OPEN),
        (9_000, Gate.READ_ONLY),
        (0, Gate.OPEN),
    ]
    assert [backlog.gate(size) for size, _ in rows] == [gate for _, gate in rows]


def test_a_hard_limit_below_the_soft_one_counts_as_the_soft_one() -> None:
    backlog = Backlog(soft_bytes=1_000, hard_bytes=10)
    assert backlog.gate(900) is Gate.OPEN
    assert backlog.gate(1_001) is Gate.READ_ONLY
