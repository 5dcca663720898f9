"""The newest records in memory: all that are not durable yet, and a bounded number of those that are."""


class MemoryTail:
    """Records with contiguous sequences from `first_seq`. Belongs to the loop thread.

    `records_max` and `bytes_max` bound what is kept of durable records; an eighth more is tolerated so that trimming
    costs little per record. `append` takes the record after the last one.
    """

    __slots__ = ("_bytes_max", "_durable_bytes", "_records", "_records_max", "append", "first_seq")

    def __init__(self, first_seq: int, records_max: int, bytes_max: int) -> None:
        self.first_seq = first_seq
        self._records: list[bytes] = []
        self._records_max = records_max
        self._bytes_max = bytes_max
        self._durable_bytes = 0
        self.append = self._records.append

    def __repr__(self) -> str:
        return f"<MemoryTail {self.first_seq}..{self.first_seq + len(self._records) - 1}>"

    def holds(self, seq: int) -> bool:
        """Whether `seq` and everything after it is here."""
        return seq >= self.first_seq

    def records(self, from_seq: int, up_to_seq: int) -> list[bytes]:
        """The records `from_seq` to `up_to_seq`, both included; fewer when the last of them is not appended yet."""
        return self._records[from_seq - self.first_seq : max(up_to_seq + 1 - self.first_seq, 0)]

    def trim(self, durable_seq: int, newly_durable_bytes: int) -> None:
        """Forget the oldest durable records above the bounds. `newly_durable_bytes` became durable since last time."""
        self._durable_bytes += newly_durable_bytes
        durable_count = durable_seq + 1 - self.first_seq
        surplus = durable_count - self._records_max
        surplus_bytes = self._durable_bytes - self._bytes_max
        if surplus <= self._records_max >> 3 and surplus_bytes <= self._bytes_max >> 3:
            return
        drop = max(surplus, 0)
        dropped_bytes = sum(map(len, self._records[:drop]))
        while dropped_bytes < surplus_bytes and drop < durable_count:
            dropped_bytes += len(self._records[drop])
            drop += 1
        self._durable_bytes -= dropped_bytes
        del self._records[:drop]
        self.first_seq += drop
