"""What an operator does from the command line, beside running the server: migrate, drain, verify, give roles."""

from __future__ import annotations

import asyncpg

from config.loading import ConfigError
from config.settings import Settings
from server import migrations
from server import verify as books
from server.clock import WallClock
from server.core import open_core
from server.database_server import is_owned, open_database_server
from server.errors import LastOperator
from server.lifecycle import Lifecycle
from server.principal import Role
from server.service_manager import ServiceManager
from server.verdict import Verdict
from server.verify_journal import verify_journal
from sql.users import OPERATORS_LOCKED, SET_ROLES


async def migrate(settings: Settings) -> list[str]:
    """Apply the migrations that are missing; their names. Raises what server/start_faults.py lists, as all of these."""
    async with open_database_server(settings) as dsn:
        return await migrations.migrate(dsn)


async def drain(settings: Settings) -> int:
    """Recover and write everything to PostgreSQL; the sequence up to which it is there. Takes no commands."""
    lifecycle = Lifecycle(ServiceManager({}), settings.http.shutdown_s)
    try:
        core = await open_core(settings, WallClock(), lifecycle)
        core.runtime.stop()
        await core.write_behind.reached(core.state.seq)
        return core.state.seq
    finally:
        await lifecycle.stop()


async def verify(settings: Settings) -> Verdict:
    """All that is wrong with the books in PostgreSQL, with the journal, and with the one against the other.

    Raises `ConfigError` where no Kerb has ever run, besides what server/start_faults.py lists.
    """
    if settings.database_url is None and not (settings.data_dir / "postgres").exists():
        raise ConfigError([f"data_dir: {settings.data_dir} holds no database; nothing was looked at"])
    watch = WallClock()
    started_us = watch.elapsed_us()
    is_running = is_owned(settings.data_dir)
    async with open_database_server(settings, beside_a_running_kerb=True) as dsn:
        findings = await books.verify(dsn)
        compared = await verify_journal(dsn, settings.data_dir, is_running=is_running)
    took_s = (watch.elapsed_us() - started_us) / 1_000_000
    return Verdict([*findings, *compared.findings], compared, took_s)


async def set_roles(settings: Settings, email: str, roles: tuple[str, ...]) -> str:
    """Give a registered user these roles and no others; what is against it, '' when it is done.

    The last operator who is enabled keeps the role `admin` (handlers/admin.py holds the same for `disable`): who is
    enabled, PostgreSQL knows as late as the write-behind writes it.
    """
    async with open_database_server(settings, beside_a_running_kerb=True) as dsn:
        connection = await asyncpg.connect(dsn)
        try:
            async with connection.transaction():
                operators = await connection.fetch(OPERATORS_LOCKED)
                enabled = {row["email"] for row in operators if row["is_enabled"]}
                if Role.ADMIN not in roles and enabled == {email.lower()}:
                    return f"{LastOperator.code}: {LastOperator()}"
                if await connection.fetchval(SET_ROLES, email, list(roles)) is None:
                    return "nobody is registered with this address"
                return ""
        finally:
            await connection.close()
