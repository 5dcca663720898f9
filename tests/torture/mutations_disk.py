"""Seeded bugs that only a disk that lies, or a life in which processes die, can show. Tried by tests/torture/mutations.py."""

from __future__ import annotations

from typing import Final

from tests.torture.mutation import Mutation

LYING_DISK: Final = "tests/simulation/test_lying_disk.py::"
LIFE: Final = "tests/simulation/test_life.py::"
DURABILITY: Final = "tests/server/test_journal_durability.py::"

ALL_THAT_WAS_TOLD: Final = (
    f"{LIFE}test_whatever_moment_it_dies_at_what_was_told_is_there_and_the_rows_are_the_journals"
)
ALL_THAT_WAS_SEEN: Final = f"{LIFE}test_what_somebody_saw_is_what_the_records_say_for_ever"

LYING_DISK_MUTATIONS: Final = (
    Mutation(
        "the journal's folder is synced in its parent",
        "server/journal.py",
        "        disk.fsync_dir(folder.parent)",
        "        pass",
        (f"{LYING_DISK}test_a_power_loss_after_an_acknowledgement_does_not_take_the_journals_folder",),
    ),
    Mutation(
        "a new data folder is synced in its parents",
        "server/data_folder.py",
        "            disk.fsync_dir(made.parent)",
        "            pass",
        (f"{LYING_DISK}test_a_data_folder_is_durable_with_all_its_parents",),
    ),
    Mutation(
        "what a failed sync left in the cache is not believed",
        "server/journal_segments.py",
        "        disk.drop_cache(fd)\n",
        "",
        (f"{LYING_DISK}test_a_start_believes_nothing_that_a_failed_sync_left_in_the_cache_alone",),
    ),
    Mutation(
        "a torn tail is overwritten",
        "server/journal_segments.py",
        "            self._disk.write_zeros(self._fd, scan.torn.offset, round_up(scan.torn.end))\n",
        "",
        (f"{LYING_DISK}test_what_is_left_of_a_torn_group_is_in_the_way_of_no_later_segment",),
    ),
    Mutation(
        "a segment that replaces an empty one takes its place",
        "server/journal_segments.py",
        "last.header.index + (0 if replaces else 1)",
        "last.header.index + 1",
        (f"{DURABILITY}test_a_group_too_large_for_the_empty_segment_of_a_cut_off_rotation_takes_its_place",),
    ),
    Mutation(
        "the next group's acknowledgement waits for its sync",
        "server/journal.py",
        "        self._store.write_frame(frame, first_seq, last_seq, previous)\n"
        "        self._loop.call_soon_threadsafe(self._group_durable, group, record_bytes)\n",
        "        self._loop.call_soon_threadsafe(self._group_durable, group, record_bytes)\n"
        "        self._store.write_frame(frame, first_seq, last_seq, previous)\n",
        (ALL_THAT_WAS_TOLD,),
    ),
    Mutation(
        "the names in the journal's folder are synced before they are believed",
        "server/journal_segments.py",
        "    paths = segment_paths(disk, folder)\n    disk.fsync_dir(folder)\n",
        "    paths = segment_paths(disk, folder)\n",
        (
            f"{LYING_DISK}test_a_name_that_a_killed_process_gave_is_synced_before_anything_is_written_behind_it",
        ),
    ),
    Mutation(
        "the watermark moves in the batch's transaction",
        "server/batch_writer.py",
        "    await advance(connection, watermark, batch.applied_seq, batch.last_seq, records)\n",
        "    pass\n",
        (ALL_THAT_WAS_TOLD,),
    ),
    Mutation(
        "records are published when they are durable",
        "server/runtime.py",
        "                self._undelivered.append(record)\n",
        "                self._undelivered.append(record)\n                self._deliver(applied.seq)\n",
        (ALL_THAT_WAS_SEEN,),
    ),
    Mutation(
        "an identity of another spelling is a damaged one",
        "server/data_folder.py",
        "        or data != _identity_text(journal_id)\n",
        "",
        (
            "tests/simulation/test_byte_damage.py::test_every_flipped_bit_of_what_is_durable_is_refused_and_changes_nothing",
        ),
    ),
)
