"""The real disk asks the kernel: shown by descriptors that the kernel refuses."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from server.disk import Disk


def test_a_sync_of_what_cannot_be_synced_is_the_kernels_error() -> None:
    ends = os.pipe()
    try:
        with pytest.raises(OSError, match="Invalid argument") as caught:
            Disk().fdatasync(ends[1])
        assert caught.value.errno == errno.EINVAL
    finally:
        for end in ends:
            os.close(end)


def test_a_folder_that_is_synced_must_be_one(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(NotADirectoryError):
        Disk().fsync_dir(file)


def test_a_sync_of_a_folder_that_cannot_be_synced_is_the_kernels_error() -> None:
    """`/proc` has no disk to be durable on, and the kernel says so."""
    with pytest.raises(OSError, match="Invalid argument") as caught:
        Disk().fsync_dir(Path("/proc"))
    assert caught.value.errno == errno.EINVAL
