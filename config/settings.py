"""The settings tree: every key Kerb knows, with its type and its range. Values come from config/loading.py."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit, urlunsplit

import msgspec
from msgspec import Meta

from config.reader_settings import ReaderSettings

SECRET_FIELDS = frozenset({"jwt_secret", "master_secret"})
URL_FIELDS = frozenset({"database_url", "redis_url", "smtp_url"})
MASK = "********"

Port = Annotated[int, Meta(ge=0, le=65_535)]  # 0: any free port
Host = Annotated[str, Meta(min_length=1)]
Count = Annotated[int, Meta(ge=1)]
Seconds = Annotated[int, Meta(ge=1, le=31_536_000)]
Milliseconds = Annotated[int, Meta(ge=1, le=3_600_000)]
PerMinute = Annotated[int, Meta(ge=1, le=100_000_000)]


class Mode(StrEnum):
    """Which profile applies: paper money, the tests, or real money."""

    DEMO = "demo"
    TEST = "test"
    PRODUCTION = "production"


class LogFormat(StrEnum):
    TEXT = "text"
    JSON = "json"


class RuleMode(StrEnum):
    """What a risk rule does when an order breaks it: nothing, take the order and report it, or refuse it and report."""

    OFF = "OFF"
    FLAG = "FLAG"
    BLOCK = "BLOCK"


class LogLevel(StrEnum):
    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


def masked(field: str, value: object) -> object:
    """The value as it may be shown: a secret hidden, a URL without its password."""
    if field in SECRET_FIELDS and value is not None:
        return MASK
    if field in URL_FIELDS and isinstance(value, str):
        return _without_password(value)
    return value


def _without_password(url: str) -> str:
    try:
        parts = urlsplit(url)
        password = parts.password
    except ValueError:
        return MASK
    if password is None and "password" not in parts.query:
        return url
    address = parts.netloc.rpartition("@")[2]
    user = f"{parts.username or ''}:{MASK}@" if password is not None else f"{parts.username or ''}@"
    query = MASK if "password" in parts.query else parts.query
    return urlunsplit((parts.scheme, user + address, parts.path, query, parts.fragment))


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A table of settings whose repr never shows a secret."""

    def __repr__(self) -> str:
        shown = (f"{name}={masked(name, getattr(self, name))!r}" for name in self.__struct_fields__)
        return f"{type(self).__name__}({', '.join(shown)})"


class HttpSettings(Section, frozen=True, kw_only=True):
    host: Host
    port: Port
    body_max_bytes: Annotated[int, Meta(ge=1_024, le=67_108_864)]
    header_max_bytes: Annotated[int, Meta(ge=1_024, le=1_048_576)]
    head_timeout_s: Seconds  # from the first byte of a request until its head must be whole
    idle_s: Seconds  # a connection on which no call has ended or begun for so long is closed
    shutdown_s: Seconds  # from the first signal until connections are cut
    cors_origins: tuple[str, ...]  # origins that browsers may call from; "*" is any


class GateSettings(Section, frozen=True, kw_only=True):
    """Gate controllers over TCP (docs/gates.md)."""

    host: Host
    port: Port
    master_secret: Annotated[str, Meta(min_length=32)] | None = (
        None  # the gates' secrets are made from it. None: one of its own, kept in the data folder
    )
    handshake_s: Annotated[int, Meta(ge=1, le=60)]  # from the connection until the proof
    heartbeat_s: Annotated[int, Meta(ge=1, le=300)]
    connections_max: Count  # that have not proved themselves; the oldest goes for one more
    connections_per_address_max: Count  # of these, from one address; the oldest of them goes
    allow_list_s: Annotated[int, Meta(ge=1, le=900)]  # each gate gets a new list so often
    allow_list_ttl_s: Annotated[int, Meta(ge=1, le=900)]
    readers: tuple[ReaderSettings, ...]
    tls_certificate: Path | None = None  # PEM, with its chain; None: no TLS
    tls_key: Path | None = None
    tls_client_ca: Path | None = None  # every gate must show a certificate of this authority, in its own name


class PostgresSettings(Section, frozen=True, kw_only=True):
    """The embedded server, and the connection pool to whichever server is used."""

    start_timeout_s: Seconds  # until the server answers at all
    recovery_timeout_s: Seconds  # as long as it says that it is recovering
    stop_timeout_s: Seconds  # a fast stop; after that an immediate one
    shared_buffers_mb: Annotated[int, Meta(ge=16, le=1_048_576)]
    connections_max: Annotated[int, Meta(ge=10, le=10_000)]
    pool_min: Annotated[int, Meta(ge=1, le=1_000)]
    pool_max: Annotated[int, Meta(ge=1, le=1_000)]


class JournalSettings(Section, frozen=True, kw_only=True):
    segment_bytes: Annotated[int, Meta(ge=65_536, le=4_294_967_296)]  # one preallocated file
    # Kept at least so long, and until every consumer has read it.
    retention_hours: Annotated[int, Meta(ge=0, le=87_600)]
    tail_records: Count  # newest records kept in memory for consumers that keep up
    pending_max_bytes: Annotated[int, Meta(ge=65_536, le=4_294_967_296)]  # open group, waiting for the disk


class WriteBehindSettings(Section, frozen=True, kw_only=True):
    batch_records_max: Annotated[int, Meta(ge=1, le=1_000_000)]
    interval_ms: Milliseconds  # a batch is cut at least so often while there is something to write
    backlog_soft_bytes: Annotated[int, Meta(ge=1_048_576)]  # above: new orders answer 503, cancels still pass
    backlog_hard_bytes: Annotated[int, Meta(ge=1_048_576)]  # above: read-only


class AuthSettings(Section, frozen=True, kw_only=True):
    jwt_secret: Annotated[str, Meta(min_length=32)] | None = (
        None  # None: kept in the data folder (never in production)
    )
    access_ttl_s: Seconds
    refresh_ttl_s: Seconds
    bcrypt_rounds: Annotated[int, Meta(ge=4, le=16)]
    bcrypt_threads: Annotated[int, Meta(ge=1, le=64)]
    bcrypt_queue_max: Annotated[int, Meta(ge=1, le=10_000)]  # waiting sign-ins; more answer 503
    auth_cache_max: Count  # verified tokens in memory
    reset_ttl_s: Seconds  # of the token in a password reset's e-mail
    login_failures_account: Count  # wrong passwords for one account that cost nothing; then the wait doubles
    login_failures_address: Count  # the same from one address
    login_wait_max_s: Seconds


class MailSettings(Section, frozen=True, kw_only=True):
    """Outgoing e-mail. Without a server letters are written into `mail/` of the data folder."""

    smtp_url: Annotated[str, Meta(pattern="^smtps?://")] | None = None  # smtp://user:password@host:587
    sender: Annotated[str, Meta(min_length=3)]
    reset_url: (
        str  # the page for a new password, with {token} in it; empty: the letter gives the token itself
    )


class LimitSettings(Section, frozen=True, kw_only=True):
    """Rate limits at the border. What an account may risk stands in limits.toml."""

    calls_per_minute: PerMinute
    calls_premium_per_minute: PerMinute
    orders_per_minute: PerMinute
    orders_premium_per_minute: PerMinute
    orders_market_maker_per_minute: PerMinute
    orders_api_key_per_minute: PerMinute
    portfolio_per_minute: PerMinute
    registrations_per_hour: PerMinute  # per address
    logins_per_minute: PerMinute  # per address
    readings_per_minute: PerMinute  # of cameras, per address
    buckets_max: Count  # users and addresses remembered


class StreamSettings(Section, frozen=True, kw_only=True):
    interval_ms: Milliseconds  # default cadence of conflated channels
    interval_min_ms: Milliseconds
    interval_max_ms: Milliseconds
    slow_consumer_s: Seconds  # a client stuck for so long is closed with 4408
    ping_s: Seconds
    auth_timeout_s: Seconds
    frame_max_bytes: Annotated[int, Meta(ge=1_024, le=16_777_216)]
    sndbuf_bytes: Annotated[int, Meta(ge=4_096, le=16_777_216)]
    notsent_lowat_bytes: Annotated[int, Meta(ge=1_024, le=16_777_216)]
    resume_events_max: Count  # private events a reconnecting client may ask for
    connections_max: Annotated[int, Meta(ge=1, le=1_000_000)]
    subscriptions_max: Count  # symbols and channels of one connection


class IdempotencySettings(Section, frozen=True, kw_only=True):
    keys_per_user_max: Count
    keys_max: Count
    ttl_hours: Annotated[int, Meta(ge=1, le=720)]


class MarketSettings(Section, frozen=True, kw_only=True):
    # "simulator", "none", or the path of a recorded day's trade file.
    feed: Annotated[str, Meta(min_length=1)]
    speed: Annotated[int, Meta(ge=1, le=1_000)]  # of a replay, times real time
    seed: Annotated[int, Meta(ge=0, le=9_223_372_036_854_775_807)]  # of the simulator
    symbols: tuple[str, ...]  # what the simulator quotes; empty: every instrument


class OrderSettings(Section, frozen=True, kw_only=True):
    """Bounds of requests. What an order itself may be stands in limits.toml."""

    batch_max: Annotated[int, Meta(ge=1, le=10_000)]  # orders in one `orders.batch`


class OverloadSettings(Section, frozen=True, kw_only=True):
    """When new orders are refused with 503 so that the others are answered soon (server/admission.py)."""

    # Of processor time: a turn of the loop reads new orders for so long, and works for so long in all.
    turn_ms: Annotated[int, Meta(ge=0, le=60_000)]
    lag_ms: Milliseconds
    patience_ms: Annotated[
        int, Meta(ge=0, le=60_000)
    ]  # turns may be too long for so long: a burst is no overload
    disk_wait_ms: Milliseconds  # a record has waited for the disk for so long


class VerifySettings(Section, frozen=True, kw_only=True):
    """When the books and the journal are verified by themselves (server/nightly.py)."""

    at: Annotated[str, Meta(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9])?$")]  # local time, HH:MM; empty: never
    zone: Annotated[str, Meta(pattern="^[A-Za-z][A-Za-z0-9_+/-]*$")]  # of the IANA database


class RiskSettings(Section, frozen=True, kw_only=True):
    """Which risk rules are on, by the names of docs/risk.md. Their figures stand in limits.toml."""

    fat_finger: RuleMode
    order_rate_limit: RuleMode
    rapid_trading: RuleMode
    unusual_volume: RuleMode
    penny_stock_alert: RuleMode
    position_limit: RuleMode
    kyc_limit: RuleMode
    daily_loss_limit: RuleMode
    pdt_violation: RuleMode
    wash_trade: RuleMode


class LogSettings(Section, frozen=True, kw_only=True):
    level: LogLevel
    format: LogFormat
    requests: bool  # one line for each call, at INFO


class Settings(Section, frozen=True, kw_only=True):
    """The whole tree. `load_settings` makes it; nothing else reads files or the environment."""

    mode: Mode
    data_dir: Path
    catalogue_dir: Path | None = None  # instruments.toml and the others; None: those beside this module
    database_url: Annotated[str, Meta(pattern="^postgres(ql)?://")] | None = None  # None: the embedded server
    redis_url: Annotated[str, Meta(pattern="^rediss?://")] | None = None
    http: HttpSettings
    gate: GateSettings
    postgres: PostgresSettings
    journal: JournalSettings
    write_behind: WriteBehindSettings
    auth: AuthSettings
    mail: MailSettings
    limits: LimitSettings
    stream: StreamSettings
    idempotency: IdempotencySettings
    market: MarketSettings
    orders: OrderSettings
    overload: OverloadSettings
    verify: VerifySettings
    risk: RiskSettings
    log: LogSettings
