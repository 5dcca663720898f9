"""Commands that made the engine fail: saved for its developers, and refused when they come again."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path

from engine.commands import AnyCommand, Envelope
from server.codec import encode_value


class PoisonBox:
    """The poisonous commands of one data folder, one file each, named by a digest of account and command; `digests` are their names."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.digests = {path.stem for path in folder.glob("*.command")} if folder.is_dir() else set()

    def holds(self, command: AnyCommand, envelope: Envelope) -> bool:
        """Whether this command of this account made the engine fail before."""
        return digest_of(command, envelope) in self.digests

    def save(self, command: AnyCommand, envelope: Envelope) -> Path:
        """Keep a command; returns its file."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        digest = digest_of(command, envelope)
        path = self.folder / f"{digest}.command"
        path.write_bytes(encode_value((envelope, command)))
        self.digests.add(digest)
        return path


def digest_of(command: AnyCommand, envelope: Envelope) -> str:
    """What makes a command the same one: the account and everything it asks for."""
    return blake2b(encode_value((envelope.account_id, command)), digest_size=16).hexdigest()
