"""The inventory's file is replaced in one rename, and never over changes that somebody else has made."""

import os
import stat
import threading
import time

import pytest
from scupi_provision.errors import InputError
from scupi_provision.inventory.document import InventoryDocument
from scupi_provision.inventory.editing import NewEntry, with_accounts
from scupi_provision.inventory.load import load_inventory

TEXT = "all:\n  hosts:\n    admin1: {}\n"


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "inventory.yaml"
    path.write_text(TEXT)
    return path


def test_byte_order_mark_line_ends_and_mode_stay(path):
    content = b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode()
    path.write_bytes(content)
    path.chmod(0o640)
    document = InventoryDocument.read(path)
    document.save(with_accounts(document.text, (NewEntry("1", "k"),)))
    assert path.read_bytes() == content + b"\r\naccounts:\r\n  - id: 1\r\n    key: k\r\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(path.parent) == [path.name]  # noqa: PTH208 - names are what is asked for
    assert [account.id for account in load_inventory(path).accounts] == ["1"]


def test_what_somebody_else_has_written_meanwhile_stays(path):
    document = InventoryDocument.read(path)
    path.write_text(TEXT + "# theirs\n")
    with pytest.raises(InputError, match="changed by somebody"):
        document.save("ours")
    assert path.read_text() == TEXT + "# theirs\n"
    assert list(path.parent.iterdir()) == [path]


def test_a_saved_document_can_be_saved_again(path):
    document = InventoryDocument.read(path).save("one\n").save("two\n")
    assert (path.read_text(), document.text) == ("two\n", "two\n")


def test_a_new_file_that_was_abandoned_is_no_obstacle(path):
    """Somebody was killed while writing it."""
    left = path.with_name(".inventory.yaml.new")
    left.write_text("half")
    os.utime(left, (time.time() - 60, time.time() - 60))
    InventoryDocument.read(path).save("whole\n")
    assert (path.read_text(), left.exists()) == ("whole\n", False)


@pytest.mark.parametrize("content", [b"\xff\xfea\x00", b"name: \xe5\xbc"])
def test_what_is_not_utf_8_is_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(InputError, match="not UTF-8"):
        InventoryDocument.read(path)


def test_of_many_at_once_nobody_is_lost(path):
    """Each tries again when somebody else was faster; in the end all are there."""

    def add(identifier):
        while True:
            document = InventoryDocument.read(path)
            try:
                document.save(with_accounts(document.text, (NewEntry(identifier, "k"),)))
            except InputError:
                continue
            return

    threads = [threading.Thread(target=add, args=(f"a{number}",)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(account.id for account in load_inventory(path).accounts) == sorted(f"a{n}" for n in range(12))
