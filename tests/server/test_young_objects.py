"""Young objects are collected by the work that makes them, and never before who waits for that work is told."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator

import pytest

from engine.commands import CancelOrder, Envelope
from engine.kinds import Source
from server.codec import Record
from server.young_objects import RECORDS, YoungObjects

RECORD = Record(1, 0, Envelope(Source.HTTP), CancelOrder(1), ())


@pytest.fixture
def collected() -> Iterator[list[int]]:
    """The generations that were collected, but for those that the interpreter collects by itself."""
    generations: list[int] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            generations.append(info["generation"])

    gc.disable()
    gc.callbacks.append(note)
    yield generations
    gc.callbacks.remove(note)
    gc.enable()


async def test_young_objects_are_collected_every_so_many_records(collected: list[int]) -> None:
    young = YoungObjects()
    for _ in range(3):
        young.listener([RECORD] * (RECORDS - 1))
        await asyncio.sleep(0)
        assert collected == []
        young.listener([RECORD])
        assert collected == []
        await asyncio.sleep(0)
        assert collected == [0]
        collected.clear()
