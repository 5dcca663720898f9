"""The one object that handlers are given: every part of the running server, wired by run.py."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from server.nightly import Verified

if TYPE_CHECKING:
    from config.settings import Settings
    from server.admission import Admission
    from server.auth import Auth
    from server.bank import Bank
    from server.database import Database
    from server.fan_out import Hub
    from server.gate_hub import GateHub
    from server.history import History
    from server.indices import Index
    from server.market_types import CandleSource
    from server.market_view import MarketView
    from server.metrics import Metrics
    from server.outbox import Outbox
    from server.rate_limits import RateLimits
    from server.request_log import RequestLog
    from server.runtime import Runtime
    from server.write_behind import WriteBehind


@dataclass(slots=True)
class Services:
    """Every part of the running server. Built once, in run.py (which fills in the port at last); read-only for everybody else."""

    settings: Settings
    runtime: Runtime
    database: Database
    write_behind: WriteBehind
    history: History
    auth: Auth
    outbox: Outbox
    bank: Bank
    market: MarketView
    candles: CandleSource
    hub: Hub
    rate_limits: RateLimits
    admission: Admission
    metrics: Metrics
    request_log: RequestLog | None = None
    """None where config wants no line for each call."""
    verified: Verified = field(default_factory=Verified)
    """What came of the last verification."""
    port: int = 0
    """The HTTP port that was bound; 0 before that."""
    indices: tuple[Index, ...] = ()
    """The market indices of config."""
    gates: GateHub | None = None
    """The gates' connections; None before their port is open."""
    gate_port: int = 0
    """The TCP port of gates that was bound; 0 before that."""
