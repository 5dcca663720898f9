"""One seeded bug: what it breaks, where, and the narrowest tests that have to notice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    """`old` becomes `new` in a file; `old` must stand there exactly once. `tests` are what has to notice."""

    breaks: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


def mutated(mutation: Mutation, text: str) -> str:
    """The file's text with the mutation. Raises LookupError when what it changes is no longer there once."""
    if text.count(mutation.old) != 1:
        raise LookupError(f"{mutation.file}: {mutation.breaks}: not there exactly once:\n{mutation.old}")
    return text.replace(mutation.old, mutation.new)
