"""The figures that /metrics reads from the running parts: positions, lags, queues and clients."""

from __future__ import annotations

from server.fan_out import Hub
from server.metrics import Metrics
from server.runtime import Runtime
from server.write_behind import WriteBehind


def watch(metrics: Metrics, runtime: Runtime, write_behind: WriteBehind, hub: Hub) -> None:
    """Make the gauges of a server that has been wired. Call once."""
    state = runtime.state
    gauge = metrics.gauge
    gauge("kerb_applied_seq", "Sequence of the last command applied.", lambda: state.seq)
    gauge("kerb_durable_seq", "Sequence of the last durable record.", lambda: runtime.durable_seq)
    gauge(
        "kerb_journal_pending_bytes", "Records that wait for the disk.", lambda: runtime.journal.pending_bytes
    )
    gauge("kerb_journal_segments", "Files of the journal.", lambda: len(runtime.journal.segments))
    gauge("kerb_write_behind_seq", "Last sequence written to Postgres.", lambda: write_behind.applied_seq)
    gauge("kerb_write_behind_batches", "Batches written to Postgres.", lambda: write_behind.batches)
    gauge("kerb_write_behind_lag_records", "Durable, not yet in Postgres.", lambda: write_behind.lag_records)
    gauge("kerb_write_behind_lag_seconds", "How far Postgres is behind.", lambda: write_behind.lag_s)
    gauge("kerb_gate", "0 open, 1 no new orders, 2 read-only.", lambda: runtime.gate)
    gauge("kerb_open_orders", "Orders in the books.", lambda: len(state.orders))
    gauge("kerb_accounts", "Accounts.", lambda: len(state.accounts))
    gauge("kerb_websocket_clients", "Open WebSocket connections.", lambda: len(hub.outlets))
    gauge("kerb_websocket_frames", "WebSocket frames written.", lambda: hub.frames_written)
