"""A process of its own that supervises an embedded PostgreSQL: `python -m tests.server.postgres_runner <data_dir> [uid]`.

Prints "<dsn> <pid> started|adopted" once it is ready, then stops the server at the end of its standard input.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import asyncpg

from config.loading import load_settings
from server.embedded_postgres import EmbeddedPostgres


async def supervise(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir, load_settings("test", None, {}).settings.postgres)
    dsn = await server.start()
    try:
        connection = await asyncpg.connect(dsn)
        assert await connection.fetchval("SELECT 1") == 1
        await connection.close()
        print(dsn, server.pid, "adopted" if server.adopted else "started", flush=True)
        await asyncio.to_thread(sys.stdin.read)
    finally:
        await server.stop()


if __name__ == "__main__":
    if len(sys.argv) > 2:
        # The interpreter may lie in a folder that this user cannot enter: what asyncio imports late is needed now.
        asyncio.run(asyncio.to_thread(int))
        os.setgroups([])
        os.setgid(int(sys.argv[2]))
        os.setuid(int(sys.argv[2]))
    asyncio.run(supervise(Path(sys.argv[1])))
