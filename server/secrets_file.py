"""A random secret of this installation, kept in a file that only its owner can read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

SECRET_BYTES = 48


class SecretUnusable(Exception):
    """The file's content cannot be the secret that Kerb once wrote, or others may have read it."""


def load_or_create_secret(path: Path, *, without_it: str = "everybody signs in again") -> str:
    """The secret in `path`; made, written and synced to disk first if there is none. `without_it` is what its loss means.

    Raises SecretUnusable for a file that others may read, and for one that is damaged or too short to be ours.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        _create(path)
    if path.stat().st_mode & 0o077:
        raise SecretUnusable(f"{path} can be read by others; chmod 600 it, or remove it and {without_it}")
    secret = path.read_text(encoding="ascii", errors="replace").strip()
    if len(secret) < SECRET_BYTES or not (secret.isascii() and secret.isprintable()):
        raise SecretUnusable(f"{path} is not a secret of Kerb; remove it and {without_it}")
    return secret


def _create(path: Path) -> None:
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.unlink(missing_ok=True)
    fd = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(SECRET_BYTES) + "\n")
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
