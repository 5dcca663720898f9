"""The figures that /metrics reads from the running parts: positions, lags, queues, clients, fills, sign-ins, caches."""

from __future__ import annotations

from engine.kinds import OrderStatus
from engine.state import FEES_ACCOUNT_ID, State
from engine.units import CASH_SCALE
from server.admission import Admission
from server.auth import Auth
from server.fan_out import Hub
from server.market_view import MarketView
from server.metrics import Metrics
from server.nightly import Verified
from server.runtime import Runtime
from server.services import Services
from server.write_behind import WriteBehind


def watch(services: Services) -> None:
    """Make the gauges of a server that has been wired. Call once."""
    metrics = services.metrics
    _watch_runtime(metrics, services.runtime, services.write_behind)
    _watch_orders(metrics, services.hub, services.market, services.runtime.state)
    _watch_admission(metrics, services.admission)
    _watch_verified(metrics, services.verified)
    _watch_streams(metrics, services.hub)
    _watch_people(metrics, services.auth)
    metrics.durations("kerb_database_query_seconds", "Time of a query.", services.database.queries)


def _watch_runtime(metrics: Metrics, runtime: Runtime, write_behind: WriteBehind) -> None:
    state, journal, gauge = runtime.state, runtime.journal, metrics.gauge
    gauge("kerb_applied_seq", "Sequence of the last command applied.", lambda: state.seq)
    gauge("kerb_durable_seq", "Sequence of the last durable record.", lambda: runtime.durable_seq)
    gauge("kerb_journal_pending_bytes", "Records that wait for the disk.", lambda: journal.pending_bytes)
    gauge("kerb_journal_segments", "Files of the journal.", lambda: len(journal.segments))
    gauge("kerb_write_behind_seq", "Last sequence written to Postgres.", lambda: write_behind.applied_seq)
    gauge("kerb_write_behind_batches", "Batches written to Postgres.", lambda: write_behind.batches)
    gauge("kerb_write_behind_lag_records", "Durable, not yet in Postgres.", lambda: write_behind.lag_records)
    gauge("kerb_write_behind_lag_seconds", "How far Postgres is behind.", lambda: write_behind.lag_s)
    gauge("kerb_write_behind_available", "1 while Postgres takes batches.", lambda: write_behind.available)
    gauge("kerb_gate", "0 open, 1 no new orders, 2 read-only.", lambda: runtime.gate)
    gauge("kerb_open_orders", "Orders in the books.", lambda: len(state.orders))
    gauge("kerb_accounts", "Accounts.", lambda: len(state.accounts))


def _watch_orders(metrics: Metrics, hub: Hub, market: MarketView, state: State) -> None:
    counter, ended = metrics.counter, hub.private.ended
    counter("kerb_orders_filled", "Orders filled in full.", lambda: ended(OrderStatus.FILLED))
    counter("kerb_orders_cancelled", "Orders cancelled.", lambda: ended(OrderStatus.CANCELLED))
    counter("kerb_orders_expired", "Orders expired.", lambda: ended(OrderStatus.EXPIRED))
    counter("kerb_trades", "Fills between two orders.", lambda: market.fills)
    metrics.gauge_by("kerb_fee_revenue", "Fees earned.", "currency", lambda: _fees(state))


def _fees(state: State) -> dict[str, float]:
    return {
        currency: amount_e4 / CASH_SCALE
        for (account_id, currency), amount_e4 in state.outside.items()
        if account_id == FEES_ACCOUNT_ID
    }


def _watch_admission(metrics: Metrics, admission: Admission) -> None:
    metrics.counter("kerb_orders_shed", "Orders refused under overload.", lambda: admission.refused)
    metrics.gauge("kerb_overloaded", "1 while new orders may be refused.", lambda: admission.is_tight)


def _watch_verified(metrics: Metrics, verified: Verified) -> None:
    gauge = metrics.gauge
    gauge("kerb_verify_last_timestamp_seconds", "When verified last; 0 never.", lambda: verified.at_s)
    gauge("kerb_verify_duration_seconds", "How long that took.", lambda: verified.took_s)
    gauge("kerb_verify_findings", "Rows that were wrong then.", lambda: verified.findings)
    gauge("kerb_verify_failed", "1 when it could not be done.", lambda: verified.failed)
    gauge("kerb_verify_seq", "Last record whose rows were compared.", lambda: verified.last_seq)


def _watch_streams(metrics: Metrics, hub: Hub) -> None:
    metrics.gauge("kerb_websocket_clients", "Open WebSocket connections.", lambda: len(hub.outlets))
    metrics.gauge("kerb_websocket_frames", "WebSocket frames written.", lambda: hub.frames_written)
    metrics.counter("kerb_websocket_slow", "Closed for being too slow.", lambda: hub.slow)
    metrics.counter("kerb_websocket_lost", "Cut for not answering pings.", lambda: hub.care.lost)


def _watch_people(metrics: Metrics, auth: Auth) -> None:
    counter, gauge = metrics.counter, metrics.gauge
    counter("kerb_logins", "Sessions begun.", lambda: auth.logins)
    counter("kerb_logins_refused", "Wrong passwords and unknown addresses.", lambda: auth.logins_refused)
    counter("kerb_logins_throttled", "Attempts that had to wait.", lambda: auth.throttle.refused)
    counter("kerb_refresh_token_reuse", "Refresh tokens used twice.", lambda: auth.refresh_reused)
    counter("kerb_token_cache_hits", "Calls whose token was remembered.", lambda: auth.tokens.hits)
    counter("kerb_token_cache_misses", "Calls whose token was verified.", lambda: auth.tokens.misses)
    gauge("kerb_active_sessions", "Sessions with a remembered token.", lambda: auth.tokens.session_count)
    gauge("kerb_api_keys", "Live API keys.", lambda: len(auth.api_keys))
    gauge("kerb_revocations_pending", "Ended, not yet in Postgres.", lambda: auth.sessions.pending)
    counter("kerb_letters_sent", "E-mails handed over.", lambda: auth.mailer.sent)
    counter("kerb_letters_failed", "E-mails given up.", lambda: auth.mailer.failed)
