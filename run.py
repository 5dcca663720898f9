"""Kerb's command line, and the one place where everything is wired: `build`."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from config.loading import ConfigError, describe
from config.settings import Mode
from server.books_commands import BOOKS_COMMANDS
from server.command_line import config_option, fail, load, mode_option, run
from server.exit_codes import ExitCode
from server.gates_command import gates
from server.torture_command import torture

if TYPE_CHECKING:
    from config.settings import Settings
    from feeds.market_feed import MarketFeed
    from server.auth import Auth
    from server.core import Core
    from server.database import Database
    from server.lifecycle import Lifecycle
    from server.outbox import Outbox
    from server.services import Services

SWITCH_INTERVAL_S: Final = 0.0005
"""How long the journal's writer thread waits for the loop to hand it the GIL."""

GC_THRESHOLDS: Final = (1_000, 50_000, 1_000_000)
"""Young objects are collected a few at a time (50 000 are a pause of 10 ms and more; server/young_objects.py), older ones practically
never.
"""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """A stock brokerage, an exchange and a parking operator in one process."""


@main.command()
@config_option
@click.option("--port", type=int, help="The HTTP port, instead of 8080.")
@click.option("--feed", help="The trade file of a recorded day; the quote file is found beside it.")
@click.option("--speed", type=int, help="How many times as fast a recorded day passes, 1 to 1000.")
def demo(file: Path | None, port: int | None, feed: str | None, speed: int | None) -> None:
    """Paper money on this machine: seeded users and a simulated or replayed market."""
    given: dict[str, object] = {"http.port": port, "market.feed": feed, "market.speed": speed}
    loaded = load(Mode.DEMO.value, file, given)
    if feed is not None and loaded.origins["data_dir"] == "demo.toml":
        # A replay's clock stands in the past, so it cannot share the books of the simulated market.
        folder = loaded.settings.data_dir.with_name(f"demo-{Path(feed).stem}")
        loaded = load(Mode.DEMO.value, file, {**given, "data_dir": folder})
    _serve(loaded.settings)


@main.command()
@mode_option
@config_option
def serve(mode: str | None, file: Path | None) -> None:
    """Run the server until it is told to stop."""
    _serve(load(mode, file).settings)


@main.command()
@mode_option
@config_option
def drain(mode: str | None, file: Path | None) -> None:
    """Recover, write everything to PostgreSQL, stop. Before an upgrade, with the version that wrote the journal."""
    from server import operations

    settings = load(mode, file).settings
    seq = run(settings, lambda: operations.drain(settings))
    print(f"everything up to sequence {seq} is in PostgreSQL")


@main.command()
@mode_option
@config_option
def migrate(mode: str | None, file: Path | None) -> None:
    """Bring the database's schema up to date; starts the embedded server for it where no database_url is set."""
    from server import operations

    settings = load(mode, file).settings
    applied = run(settings, lambda: operations.migrate(settings))
    print("\n".join(f"applied {name}" for name in applied) or "nothing to do, the schema is up to date")


@main.command()
@mode_option
@config_option
@click.argument("email")
@click.argument("names", nargs=-1, required=True, metavar="ROLE...")
def roles(mode: str | None, file: Path | None, email: str, names: tuple[str, ...]) -> None:
    """Give a registered user these roles and no others; a running server knows in a second. How the first admin is made.

    The last admin who is not disabled keeps the role: give it to another user first.
    """
    from server import operations
    from server.principal import Role

    unknown = [name for name in names if name not in list(Role)]
    if unknown:
        fail(ExitCode.CONFIG, [f"{name}: is not a role; known are {', '.join(Role)}" for name in unknown])
    settings = load(mode, file).settings
    if problem := run(settings, lambda: operations.set_roles(settings, email, names)):
        fail(ExitCode.CONFIG, [f"{email}: {problem}"])
    print(f"{email} has the roles {', '.join(names)}")


for command in (*BOOKS_COMMANDS, gates, torture):
    main.add_command(command)


@main.command("check-config")
@mode_option
@config_option
def check_config(mode: str | None, file: Path | None) -> None:
    """Print every setting in force and where it came from, or everything that is wrong."""
    from rich.console import Console
    from rich.table import Table

    from config.catalogue import load_catalogue
    from feeds.market_feed import make_feed
    from server.tariff_config import tariff_mistakes

    loaded = load(mode, file)
    try:
        catalogue = load_catalogue(loaded.settings.catalogue_dir)
        feed = make_feed(loaded.settings.market)
        feed.listed_in(catalogue, may_list=loaded.settings.mode is Mode.DEMO)
        if mistakes := tariff_mistakes(catalogue.tariffs):
            raise ConfigError(mistakes)
    except ConfigError as error:
        fail(ExitCode.CONFIG, error.problems)
    table = Table("setting", "value", "from", box=None, pad_edge=False)
    for key, value, origin in describe(loaded):
        table.add_row(key, value, origin)
    Console(width=None if sys.stdout.isatty() else 200, markup=False, highlight=False).print(table)


# ---- wiring


async def build(settings: Settings, lifecycle: Lifecycle) -> Services:
    """Start every part, in this order; `lifecycle.stop` ends them in the opposite one.

    1. core: data folder, PostgreSQL, journal, recovery, runtime, write-behind          (server/core.py)
    2. venue: instruments, fees, limits and sessions of config, as commands             (server/config_commands.py)
    3. services: users, outbox, bank, market data, streams; in the demo, paper money    (`_open_services`)
    4. feed: the simulator or a recorded day                                            (feeds/market_feed.py)
    5. HTTP and WebSocket, then the port of gates                                       (handlers/)

    Raises what server/start_faults.py lists.
    """
    from config.catalogue import load_catalogue
    from feeds.market_feed import make_feed
    from handlers.gate_listener import open_gates
    from handlers.reader_connections import open_readers
    from server.config_commands import Venue
    from server.core import open_core
    from server.demo import seed
    from server.demo_parking import open_demo_parking
    from server.indices import indices_of
    from server.nightly import Nightly
    from server.snapshots import Snapshots

    demo_mode = settings.mode is Mode.DEMO
    feed = make_feed(settings.market)
    catalogue = feed.listed_in(load_catalogue(settings.catalogue_dir), may_list=demo_mode)
    core = await open_core(settings, feed.clock, lifecycle)
    feed.continue_after(core.state.last_us, core.folder.path)
    venue = Venue(core.runtime, catalogue, settings.idempotency, feed.sources, settings.risk)
    await venue.configure()
    lifecycle.on_tick(venue.tick)
    services = await _open_services(settings, core, feed, lifecycle)
    services.indices = indices_of(catalogue.indices)
    snapshots = Snapshots(services.database, core.runtime, services.market.last_e4)
    lifecycle.on_stop("the snapshots", snapshots.stop)
    accounts = await seed(services.auth, services.database, core.runtime) if demo_mode else None
    await feed.open(services, accounts)
    lifecycle.on_stop("the feed", feed.stop)
    await _serve_http(services, lifecycle)
    port = await open_gates(services)
    lifecycle.on_tick(port.tick)
    lifecycle.on_stop("gates", port.stop)
    readers = open_readers(services)
    lifecycle.on_tick(readers.tick)
    lifecycle.on_stop("RFID readers", readers.stop)
    if accounts is not None and settings.market.feed == "simulator":
        lifecycle.on_stop("demo traffic", open_demo_parking(services, accounts.noise).stop)
    nightly = Nightly(settings, services.verified)
    lifecycle.on_tick(nightly.tick)
    lifecycle.on_stop("the verification", nightly.stop)
    feed.start()
    lifecycle.on_tick(snapshots.tick)
    lifecycle.on_stop("commands", core.runtime.stop)
    lifecycle.on_stop("orders tied to streams", services.hub.end_orders)
    return services


async def _open_services(settings: Settings, core: Core, feed: MarketFeed, lifecycle: Lifecycle) -> Services:
    """Everything that handlers are given."""
    from engine.events import TradeBusted, Traded
    from feeds.busted_candles import BustedCandles
    from feeds.own_candles import OwnTrades, load_own_candles
    from handlers.ws_hub import make_hub
    from server.admission import Admission
    from server.bank import Bank
    from server.clock import WallClock
    from server.database import Database
    from server.gauges import watch
    from server.history import History
    from server.market_view import MarketView
    from server.metrics import Metrics
    from server.outbox import Outbox
    from server.private_streams import RECORDS_PER_LIMIT
    from server.rate_limits import RateLimits
    from server.request_log import open_request_log
    from server.services import Services

    runtime, state = core.runtime, core.state
    database = Database(core.dsn, pool_min=settings.postgres.pool_min, pool_max=settings.postgres.pool_max)
    await database.open()
    lifecycle.on_stop("the database pool", database.close)
    outbox = Outbox(database, runtime)
    auth = _sign_in(settings, core, database, outbox)
    lifecycle.on_stop("sign-in", auth.close)
    market = MarketView()
    hub = make_hub(market, runtime, feed.candles, settings.stream, WallClock())
    services = Services(
        settings=settings,
        runtime=runtime,
        database=database,
        write_behind=core.write_behind,
        history=History(database, core.write_behind),
        auth=auth,
        outbox=outbox,
        bank=Bank(runtime),
        market=market,
        candles=feed.candles,
        hub=hub,
        rate_limits=RateLimits(settings.limits),
        admission=Admission(settings.overload, runtime.journal.waiting_since_s),
        metrics=Metrics(),
        request_log=open_request_log(settings.log),
    )
    tapes = feed.tape_symbols
    stored_seq = await load_own_candles(database, feed.candles, now_us=runtime.now_us(), except_symbols=tapes)
    busted = BustedCandles(database, core.write_behind, market, feed.candles)
    own_trades = OwnTrades(feed.candles, except_symbols=tapes, on_bust=busted.add)
    await runtime.wait_durable(state.seq)
    # From here to the last listener nothing is awaited: what is durable now is read, what comes later is heard.
    own_trades.take(runtime.durable_records_with(Traded, TradeBusted, after=stored_seq))
    remembered = settings.stream.resume_events_max * RECORDS_PER_LIMIT
    recent = runtime.durable_records(after=runtime.durable_seq - remembered)
    hub.private.seed_from_records(recent, runtime.durable_seq)
    market.seed(state, now_us=runtime.now_us(), candles=feed.candles)
    own_trades.follow(market)
    for listener in (market.listener, hub.listener):
        runtime.add_listener(listener)
    busted.start(runtime.durable_seq)
    lifecycle.on_stop("busted candles", busted.stop)
    watch(services)
    auth.tell(hub)
    await auth.start()
    await outbox.start()
    lifecycle.on_stop("the outbox", outbox.stop)
    services.bank.start()
    lifecycle.on_stop("the bank", services.bank.stop)
    return services


def _sign_in(settings: Settings, core: Core, database: Database, outbox: Outbox) -> Auth:
    """Users, their sessions and keys, and the letters that they get."""
    from server.auth import Auth
    from server.mail import make_mailer
    from server.secrets_file import load_or_create_secret
    from server.standing import disabled_users

    accounts = core.state.account_by_user
    return Auth(
        settings.auth,
        settings.auth.jwt_secret or load_or_create_secret(settings.data_dir / "jwt_secret"),
        database,
        outbox,
        account_of=lambda user: accounts.get(user, 0),
        highest_user_id=lambda: max(accounts, default=0),
        disabled_users=lambda: disabled_users(core.state),
        mail=settings.mail,
        mailer=make_mailer(settings.mail, settings.data_dir),
    )


async def _serve_http(services: Services, lifecycle: Lifecycle) -> None:
    """Listen. At the end streams are told and closed first, then calls that still run are waited for."""
    from aiohttp import web

    from handlers.app import build_runner
    from server.listening_socket import BACKLOG, listening_socket
    from server.start_faults import AddressInUse

    http = services.settings.http
    if services.request_log is not None:
        lifecycle.on_stop("the log of calls", services.request_log.flush)
    services.admission.start()
    lifecycle.on_stop("admission", services.admission.stop)
    runner = build_runner(services)
    await runner.setup()
    lifecycle.on_stop("HTTP", runner.cleanup)
    try:
        listener = listening_socket(http.host, http.port, services.settings.stream)
    except OSError as error:
        raise AddressInUse(
            f"http.host and http.port: cannot listen on {http.host}:{http.port}: {error}"
        ) from error
    await web.SockSite(runner, listener, backlog=BACKLOG).start()
    services.port = listener.getsockname()[1]
    lifecycle.on_stop("streams", lambda: services.hub.shutdown(http.shutdown_s / 4))


# ---- running


def _serve(settings: Settings) -> None:
    """Run until told to stop, then exit with the code that says why."""
    from server.log_output import set_up_logging

    set_up_logging(settings.log)
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    code, reason = run(settings, lambda: _live(settings))
    if code:
        fail(code, [reason] if reason else [])


async def _live(settings: Settings) -> tuple[ExitCode, str]:
    from server.demo import banner
    from server.lifecycle import Lifecycle
    from server.service_manager import ServiceManager
    from server.young_objects import YoungObjects

    lifecycle = Lifecycle(ServiceManager(os.environ), settings.http.shutdown_s)
    try:
        services = await lifecycle.start(build(settings, lifecycle))
        if services is not None:
            gc.collect()
            gc.freeze()
            gc.set_threshold(*GC_THRESHOLDS)
            services.runtime.add_listener(YoungObjects().listener)
            url = f"http://{settings.http.host}:{services.port}"
            if settings.mode is Mode.DEMO:
                print(banner(url, services.runtime.state, services.gate_port), flush=True)
            else:
                print(f"Kerb serves {url}", flush=True)
            await lifecycle.run(f"serving {url}")
    finally:
        await lifecycle.stop()
    return lifecycle.exit_code, lifecycle.reason


if __name__ == "__main__":
    main()
