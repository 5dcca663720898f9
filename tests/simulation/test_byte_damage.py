"""A journal that is cut anywhere in its last group gives the prefix before it; a bit flipped in what is durable is never silent."""

from __future__ import annotations

from random import Random

from tests.simulation.byte_damage import Known, cut_everywhere, flip_bits, recovered, write_journal


def test_every_byte_cut_of_the_last_group_gives_the_prefix() -> None:
    assert cut_everywhere("a")["byte cuts"] >= 4_096


def test_every_flipped_bit_of_what_is_durable_is_refused_and_changes_nothing() -> None:
    assert flip_bits("a", 1_000)["bit flips refused"] == 1_000


def test_what_is_not_damaged_is_not_refused() -> None:
    for known in Known:
        written = write_journal(Random(1), clean=known is Known.MARK)
        assert recovered(written.disk.copy(), len(written.records)) == written.records
