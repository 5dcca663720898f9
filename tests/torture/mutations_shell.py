"""Seeded bugs round the engine: disk, journal, recovery, acknowledgement, write-behind. Tried by tests/torture/mutations.py."""

from __future__ import annotations

from typing import Final

from tests.torture.mutation import Mutation

ANSWERS: Final = (
    "tests/handlers/test_durability.py::test_every_way_to_send_a_command_answers_when_it_is_durable"
)
READS: Final = "tests/handlers/test_durability.py::test_no_answer_and_no_read_shows_what_is_not_durable"
DURABILITY: Final = "tests/server/test_journal_durability.py::"
SCAN: Final = "tests/server/test_journal_scan.py::"
DISK: Final = "tests/server/test_disk.py::"
WATERMARK: Final = "tests/server/test_watermark.py::"
WRITE_BEHIND: Final = "tests/server/test_write_behind.py::"

NO_ACKNOWLEDGEMENT_YET: Final = f"{DURABILITY}test_no_acknowledgement_comes_before_fdatasync_returns"
POWER_LOSS: Final = f"{DURABILITY}test_power_loss_after_any_acknowledgement_takes_nothing_back"

DISKS: Final = (
    Mutation(
        "the fsync of a group",
        "server/journal_segments.py",
        "        self._disk.write_all(self._fd, frame, active.end_offset)\n        self._disk.fdatasync(self._fd)\n",
        "        self._disk.write_all(self._fd, frame, active.end_offset)\n",
        (NO_ACKNOWLEDGEMENT_YET, POWER_LOSS),
    ),
    Mutation(
        "the fsync itself",
        "server/disk.py",
        "        os.fdatasync(fd)\n",
        "        return\n",
        (f"{DISK}test_a_sync_of_what_cannot_be_synced_is_the_kernels_error",),
    ),
    Mutation(
        "the fsync of the journal's folder",
        "server/journal_segments.py",
        "        self._disk.rename(temporary, path)\n        self._disk.fsync_dir(self._folder)\n",
        "        self._disk.rename(temporary, path)\n",
        (POWER_LOSS,),
    ),
    Mutation(
        "the fsync of a folder itself",
        "server/disk.py",
        "            os.fsync(fd)\n",
        "            pass\n",
        (f"{DISK}test_a_sync_of_a_folder_that_cannot_be_synced_is_the_kernels_error",),
    ),
    Mutation(
        "the fsync of a segment's header",
        "server/journal_segments.py",
        "        self._disk.write_all(fd, encode_segment_header(header), 0)\n        self._disk.fdatasync(fd)\n",
        "        self._disk.write_all(fd, encode_segment_header(header), 0)\n",
        (f"{DURABILITY}test_power_loss_at_any_sync_leaves_a_journal_that_opens",),
    ),
    Mutation(
        "the fsync of a removal",
        "server/disk.py",
        "        self.unlink(path)\n        self.fsync_dir(path.parent)\n",
        "        self.unlink(path)\n",
        (f"{DURABILITY}test_the_clean_mark_and_its_removal_survive_a_power_loss",),
    ),
    Mutation(
        "the sync of what a killed process left",
        "server/journal_segments.py",
        "        disk.fdatasync(fd)\n        disk.drop_cache(fd)\n",
        "        disk.drop_cache(fd)\n",
        (f"{DURABILITY}test_what_a_killed_process_left_unsynced_is_synced_before_it_is_believed",),
    ),
    Mutation(
        "a short write is an error",
        "server/disk.py",
        "        if written != len(data):\n",
        "        if written > len(data):\n",
        (f"{DURABILITY}test_a_short_write_ends_acknowledgement_for_good",),
    ),
    Mutation(
        "no acknowledgement after a failure",
        "server/journal.py",
        "            group.settle(failure)\n",
        "            group.settle(None)\n",
        (f"{DURABILITY}test_what_was_durable_before_the_failure_stays_acknowledged",),
    ),
    Mutation(
        "one owner of a folder",
        "server/data_folder.py",
        "fcntl.LOCK_EX | fcntl.LOCK_NB",
        "fcntl.LOCK_SH | fcntl.LOCK_NB",
        ("tests/server/test_data_folder.py::test_a_second_owner_is_refused_and_told_the_holders_pid",),
    ),
)

JOURNAL: Final = (
    Mutation(
        "the checksums of the journal",
        "server/journal_frame.py",
        "    if len(packed) != size_bytes or seal != _CRC.pack(crc32c(packed)):\n",
        "    if len(packed) != size_bytes or not seal:\n",
        ("tests/server/test_journal_frame.py::test_any_flipped_bit_of_a_frame_is_noticed",),
    ),
    Mutation(
        "the chain of hashes",
        "server/journal_scan.py",
        "        if header.previous_hash != self.chain:\n            raise self._corrupt(",
        "        if not self.chain:\n            raise self._corrupt(",
        (f"{SCAN}test_a_whole_frame_that_does_not_belong_at_the_end_is_refused",),
    ),
    Mutation(
        "what is known durable is no torn tail",
        "server/journal_scan.py",
        "        if self.expected <= self.durable:\n",
        "        if not self.expected:\n",
        (f"{SCAN}test_a_torn_end_below_the_known_sequence_is_corrupt",),
    ),
    Mutation(
        "a journal that is short is refused",
        "server/journal_scan.py",
        "        if last_seq < self.durable:\n",
        "        if last_seq < 0:\n",
        (f"{SCAN}test_a_missing_last_segment_is_short_of_what_is_known",),
    ),
    Mutation(
        "replay compares events",
        "server/replay.py",
        "                and not _is_same(decode_record(data).events, applied.events)\n",
        "                and not applied.recorded\n",
        ("tests/server/test_replay.py::test_a_trade_that_says_other_lots_than_were_sold_is_another_history",),
    ),
    Mutation(
        "recovery applies each record once",
        "server/core.py",
        "    count = replay(state, journal.read(applied_seq + 1), journal.durable_seq - applied_seq)\n",
        "    count = replay(state, journal.read(max(applied_seq, 1)), journal.durable_seq - applied_seq)\n",
        ("tests/e2e/test_life_cycle.py::test_it_serves_until_sigterm_and_leaves_a_clean_mark",),
    ),
)

ACKNOWLEDGEMENT: Final = (
    Mutation(
        "the durability gate of the journal",
        "server/journal.py",
        "        if seq <= self.durable_seq:\n            return self._done\n",
        "        if seq <= self.appended_seq:\n            return self._done\n",
        (NO_ACKNOWLEDGEMENT_YET, ANSWERS),
    ),
    Mutation(
        "the durability gate of orders over HTTP",
        "handlers/direct.py",
        "                applied.seq, partial(self._end, call, applied, started_s, write)\n",
        "                0, partial(self._end, call, applied, started_s, write)\n",
        (ANSWERS, READS),
    ),
    Mutation(
        "the durability gate of other commands over HTTP",
        "handlers/call.py",
        "        await self.services.runtime.wait_durable(applied.seq)\n",
        "",
        (ANSWERS,),
    ),
    Mutation(
        "the durability gate of a WebSocket",
        "server/fan_out.py",
        "        if seq <= self.private.seq:\n",
        "        if seq > 0:\n",
        (ANSWERS,),
    ),
    Mutation(
        "the durability gate of streams",
        "server/runtime.py",
        "                self._undelivered.append(record)\n",
        "                self._undelivered.append(record)\n                self._deliver(applied.seq)\n",
        (ANSWERS,),
    ),
    Mutation(
        "the durability gate of an order that is read",
        "handlers/orders_read.py",
        "        found = order.snapshot()\n        await runtime.wait_durable(seq)\n",
        "        found = order.snapshot()\n",
        (READS,),
    ),
    Mutation(
        "the durability gate of a balance that is read",
        "handlers/wallet.py",
        "    await runtime.wait_durable(seq)\n    return success_as_of(data, seq)\n",
        "    return success_as_of(data, seq)\n",
        (READS,),
    ),
    Mutation(
        "each record is told once",
        "server/runtime.py",
        "                self._undelivered.append(record)\n",
        "                self._undelivered += (record, record)\n",
        (
            "tests/server/test_runtime.py::test_listeners_hear_each_record_once_in_order_and_only_when_durable",
        ),
    ),
    Mutation(
        "timers go before the command",
        "server/runtime.py",
        "        if heap and heap[0][0] <= now_us:\n",
        "        if not heap:\n",
        (
            "tests/server/test_runtime.py::test_timers_that_are_due_go_before_the_command_each_at_its_own_time",
        ),
    ),
    Mutation(
        "a resumed stream repeats nothing",
        "server/private_streams.py",
        "takewhile(lambda entry: entry.seq > seq, reversed(self.entries))",
        "takewhile(lambda entry: entry.seq >= seq, reversed(self.entries))",
        (
            "tests/server/test_private_streams.py::test_resuming_gives_every_event_after_the_sequence_and_then_goes_on_live",
        ),
    ),
)

DATABASE: Final = (
    Mutation(
        "rows are written when they are durable",
        "server/write_behind.py",
        "        await self._runtime.wait_durable(cut.seq)\n",
        "",
        (f"{WRITE_BEHIND}test_nothing_is_written_before_it_is_durable",),
    ),
    Mutation(
        "the watermark is compared",
        "sql/statements.py",
        "WHERE applied_seq = $1 AND owner_instance = $3 AND journal_id = $4\n",
        "WHERE $1::bigint IS NOT NULL AND owner_instance = $3 AND journal_id = $4\n",
        (f"{WATERMARK}test_a_watermark_that_moved_is_another_writer",),
    ),
    Mutation(
        "the owner of the watermark is compared",
        "sql/statements.py",
        "WHERE applied_seq = $1 AND owner_instance = $3 AND journal_id = $4\n",
        "WHERE applied_seq = $1 AND $3::text IS NOT NULL AND journal_id = $4\n",
        (f"{WATERMARK}test_a_watermark_that_moved_is_another_writer",),
    ),
    Mutation(
        "a batch that was committed is not written again",
        "server/write_behind.py",
        "        return applied_seq == cut.seq\n",
        "        return False\n",
        (f"{WRITE_BEHIND}test_a_cut_at_commit_neither_doubles_nor_loses",),
    ),
    Mutation(
        "a batch that was lost is written again",
        "server/write_behind.py",
        "        return applied_seq == cut.seq\n",
        "        return True\n",
        (f"{WRITE_BEHIND}test_a_cut_at_commit_neither_doubles_nor_loses",),
    ),
    Mutation(
        "the changes of a batch that was lost",
        "server/write_behind.py",
        "                merge_back(state, cut)\n",
        "",
        (f"{WRITE_BEHIND}test_a_cut_at_commit_neither_doubles_nor_loses",),
    ),
    Mutation(
        "the backends of the writer before are ended",
        "server/watermark.py",
        "            await _end_writers(connection, watermark.predecessors if first else [watermark.instance])\n",
        "",
        (f"{WATERMARK}test_a_claim_ends_the_backends_of_the_writer_before",),
    ),
    Mutation(
        "a writer that is connected keeps its place",
        "server/watermark.py",
        "                await _check_alone(connection)\n",
        "",
        (f"{WATERMARK}test_who_is_connected_is_alive_and_keeps_its_place",),
    ),
    Mutation(
        "the dead writer of an original is not that of a copy",
        "server/data_folder.py",
        "        return tuple(instance for instance, _, place in known if place == self._place())\n",
        "        return tuple(instance for instance, _, place in known)\n",
        (
            "tests/server/test_data_folder.py::test_an_owner_knows_those_before_it_as_writers_and_that_of_a_copy_does_not",
        ),
    ),
    Mutation(
        "a copy that is behind does not take over",
        "server/watermark.py",
        "            if reaches is not None and applied_seq > reaches:\n",
        "            if reaches is not None and applied_seq < 0:\n",
        (f"{WATERMARK}test_a_copy_that_is_behind_does_not_take_over",),
    ),
)

SHELL_MUTATIONS: Final = (*DISKS, *JOURNAL, *ACKNOWLEDGEMENT, *DATABASE)
