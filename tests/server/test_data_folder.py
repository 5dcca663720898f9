"""One owner per data folder, and one journal identity in it for ever."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from server.data_folder import WRITERS_KEPT, DataFolder, DataFolderBusy, DataFolderDamaged
from server.journal_frame import crc32c


def test_a_second_owner_is_refused_and_told_the_holders_pid(tmp_path: Path) -> None:
    first = DataFolder.own(tmp_path / "data")
    with pytest.raises(DataFolderBusy, match=f"in use by process {os.getpid()}") as caught:
        DataFolder.own(tmp_path / "data")
    assert caught.value.pid == os.getpid()
    first.close()
    DataFolder.own(tmp_path / "data").close()


def test_removing_every_file_of_the_folder_does_not_steal_the_lock(tmp_path: Path) -> None:
    owner = DataFolder.own(tmp_path)
    for path in tmp_path.iterdir():
        path.unlink()
    with pytest.raises(DataFolderBusy, match="another process"):
        DataFolder.own(tmp_path)
    owner.close()


def test_a_child_process_does_not_keep_the_lock(tmp_path: Path) -> None:
    owner = DataFolder.own(tmp_path)
    command = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as child:
        owner.close()
        DataFolder.own(tmp_path).close()
        child.communicate()


def test_the_journal_id_is_made_once_and_kept(tmp_path: Path) -> None:
    folder = DataFolder.own(tmp_path)
    journal_id = folder.journal_id()
    assert len(journal_id) == 16
    assert folder.journal_id() == journal_id
    folder.close()
    again = DataFolder.own(tmp_path)
    assert again.journal_id() == journal_id
    again.close()


def test_a_journal_never_gets_a_second_identity(tmp_path: Path) -> None:
    folder = DataFolder.own(tmp_path)
    folder.journal_id()
    folder.journal_folder.mkdir()
    (folder.journal_folder / "segment-00000000000000000001.kj").touch()
    (tmp_path / "journal-id").unlink()
    with pytest.raises(DataFolderDamaged, match="is missing"):
        folder.journal_id()
    folder.close()


def test_an_owner_knows_those_before_it_as_writers_and_that_of_a_copy_does_not(tmp_path: Path) -> None:
    with DataFolder.own(tmp_path / "data") as first:
        assert first.earlier_writers() == ()
        for number in range(WRITERS_KEPT + 2):
            first.note_writer(f"start-{number}")
    shutil.copytree(tmp_path / "data", tmp_path / "copy")
    (tmp_path / "data").rename(tmp_path / "moved")
    with DataFolder.own(tmp_path / "moved") as moved, DataFolder.own(tmp_path / "copy") as copy:
        assert moved.earlier_writers() == tuple(f"start-{number}" for number in range(2, WRITERS_KEPT + 2))
        assert copy.earlier_writers() == ()
        copy.note_writer("another")
        assert copy.earlier_writers() == ("another",)


WHOLE = f"{b'j'.hex() * 16} {crc32c(b'j' * 16):08x}\n".encode("ascii")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"xyz 1\n",
        b"00" * 16 + b" 00000001\n",
        b"\xff\xfe",
        WHOLE.upper(),
        WHOLE[:-1] + b"\v",
        WHOLE + b" ",
    ],
)
def test_a_damaged_identity_is_refused(tmp_path: Path, content: bytes) -> None:
    folder = DataFolder.own(tmp_path)
    (tmp_path / "journal-id").write_bytes(content)
    with pytest.raises(DataFolderDamaged):
        folder.journal_id()
    folder.close()


def test_an_identity_that_is_whole_is_read(tmp_path: Path) -> None:
    (tmp_path / "journal-id").write_bytes(WHOLE)
    assert DataFolder.journal_id_in(tmp_path) == b"j" * 16


HOLD = """
import sys
from pathlib import Path
from server.data_folder import DataFolder
with DataFolder.own(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_killed_owner_holds_it_no_longer(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=root) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(DataFolderBusy, match=f"process {holder.pid}"):
            DataFolder.own(tmp_path)
        holder.kill()
        holder.wait()
        DataFolder.own(tmp_path).close()
