"""Which data folder each database below the shared home belongs to (server/postgres_install.py puts them there as root).

A database is never removed here: a data folder that is not where it was may have been moved, or its disk not mounted.
The note lies beside the database's folder, not in it, where the user that PostgreSQL runs as could replace it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

SUFFIX: Final = ".data-folder"


def note_owner(home: Path, link: Path) -> None:
    """Write down that the data folder's `link` leads to this database; again at each start, as folders are moved."""
    note = home.with_name(home.name + SUFFIX)
    if not note.exists() or note.read_text(encoding="utf-8") != f"{link}\n":
        note.write_text(f"{link}\n", encoding="utf-8")


def without_owner(shared: Path) -> list[tuple[Path, Path]]:
    """The databases whose data folder is not, or no longer, where it was: (database, data folder). Notes of databases that
    are gone are removed.
    """
    found = []
    for note in sorted(shared.glob(f"*{SUFFIX}")):
        home = note.with_name(note.name.removesuffix(SUFFIX))
        if not home.is_dir():
            note.unlink(missing_ok=True)
            continue
        link = Path(note.read_text(encoding="utf-8").rstrip("\n"))
        if not link.is_symlink() or link.resolve() != home.resolve():
            found.append((home, link.parent))
    return found
