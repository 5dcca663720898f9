"""Temporary folders for tests whose server runs as another user, who has to get in (pytest's own are closed to others)."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from server.postgres_install import SHARED_HOME
from server.shared_home import SUFFIX


@contextmanager
def reachable_folder() -> Iterator[Path]:
    """A new folder that everybody may enter; removed afterwards with what Kerb put elsewhere on its behalf."""
    folder = Path(tempfile.mkdtemp(prefix="kerb-test-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        for link in folder.rglob("postgres"):
            if link.is_symlink() and link.resolve().parent == SHARED_HOME:
                home = link.resolve()
                shutil.rmtree(home)
                home.with_name(home.name + SUFFIX).unlink(missing_ok=True)
        shutil.rmtree(folder)
