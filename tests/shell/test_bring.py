"""Files that the controller sends: whole, gone on from after a cut, refused when damaged, in every shell."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from scupi_provision.errors import StepFailedError
from scupi_provision.host.snapshot import Needs, Snapshot
from scupi_provision.run.blobs import CHUNK, Blob
from scupi_provision.run.session import Session
from scupi_provision.shell.actions import Fetch
from scupi_provision.shell.compile import Turn
from scupi_provision.shell.entry import ABSENT
from scupi_provision.shell.replies import StepDone, StepFailed

CONTENT = b"".join(hashlib.sha256(n.to_bytes(4, "big")).digest() for n in range(20_001))
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def blob(tmp_path: Path) -> Blob:
    """The file, in the middle of another one as in a bundle."""
    path = tmp_path / "pack"
    path.write_bytes(b"before" + CONTENT + b"after")
    return Blob(path, SHA256, len(CONTENT), len(b"before"))


@pytest.fixture
def kept(home: Path) -> Path:
    """Where the host keeps it."""
    return home / ".provision/brought" / SHA256


def test_a_file_arrives_whole_and_is_not_sent_twice(session: Session, home: Path, blob: Blob, kept: Path) -> None:
    amounts = [amount.done for amount in session.upload([blob], str(home))]
    assert amounts == [*range(CHUNK, len(CONTENT), CHUNK), len(CONTENT)]
    assert kept.read_bytes() == CONTENT
    assert oct(kept.stat().st_mode) == "0o100600"
    assert list(session.upload([blob], str(home))) == []


@pytest.mark.parametrize("length", [100_000, len(CONTENT)])
def test_what_a_cut_line_has_brought_is_gone_on_from(
    session: Session, home: Path, blob: Blob, kept: Path, length: int
) -> None:
    kept.parent.mkdir(parents=True)
    kept.with_name(f"{SHA256}.part").write_bytes(CONTENT[:length])
    session.read(Needs(entries={str(home): None}), Snapshot())  # opens it: the runtime has travelled
    before = session.wire.sent
    list(session.upload([blob], str(home)))
    assert kept.read_bytes() == CONTENT
    assert session.wire.sent - before < len(CONTENT) - length + 2_000


@pytest.mark.parametrize("left", [b"of another file", CONTENT + b"more"], ids=["other", "longer"])
def test_a_part_of_something_else_is_begun_anew(
    session: Session, home: Path, blob: Blob, kept: Path, left: bytes
) -> None:
    kept.parent.mkdir(parents=True)
    kept.with_name(f"{SHA256}.part").write_bytes(left)
    list(session.upload([blob], str(home)))
    assert kept.read_bytes() == CONTENT


def test_what_arrives_with_another_content_is_refused_and_the_line_stays_in_step(
    session: Session, home: Path, blob: Blob, kept: Path
) -> None:
    wrong = Blob(blob.path, "0" * 64, blob.size, 0)
    with pytest.raises(StepFailedError) as refused:
        list(session.upload([wrong], str(home)))
    assert "another content" in refused.value.diagnostic.detail
    assert [path.name for path in kept.parent.iterdir()] == []
    list(session.upload([blob], str(home)))
    assert kept.read_bytes() == CONTENT


def test_many_files_cost_two_exchanges_and_one_that_is_refused_not_the_others(
    session: Session, home: Path, blob: Blob, kept: Path, tmp_path: Path
) -> None:
    (tmp_path / "nothing").touch()
    nothing = Blob(tmp_path / "nothing", hashlib.sha256().hexdigest(), 0)
    session.read(Needs(entries={str(home): None}), Snapshot())
    before = session.wire.round_trips
    with pytest.raises(StepFailedError):
        list(session.upload([nothing, Blob(blob.path, "0" * 64, blob.size, 0), blob], str(home)))
    assert session.wire.round_trips - before == 2
    assert kept.read_bytes() == CONTENT
    assert kept.with_name(nothing.sha256).read_bytes() == b""


def test_a_host_without_room_says_so_and_the_line_stays_in_step(session: Session, home: Path, blob: Blob) -> None:
    (home / ".provision").mkdir()
    (home / ".provision/brought").write_text("in the way")
    with pytest.raises(StepFailedError) as refused:
        list(session.upload([blob], str(home)))
    assert "disk full" in refused.value.diagnostic.detail
    (home / ".provision/brought").unlink()
    list(session.upload([blob], str(home)))


def test_a_file_that_was_sent_takes_its_places_and_leaves_the_cache(
    session: Session, home: Path, blob: Blob, kept: Path
) -> None:
    list(session.upload([blob], str(home)))
    actions = [Fetch((), f"{home}/{name}", 0o644, SHA256, expect=ABSENT, via="controller") for name in ("a", "b")]
    replies = list(session.perform([Turn(0, actions)]))
    assert isinstance(replies[-1], StepDone)
    assert (home / "a").read_bytes() == (home / "b").read_bytes() == CONTENT
    assert oct((home / "b").stat().st_mode) == "0o100644"
    assert not kept.exists()


def test_a_file_that_was_not_sent_is_a_failure(session: Session, home: Path) -> None:
    replies = list(session.perform([Turn(0, [Fetch((), f"{home}/a", 0o644, SHA256, via="controller")])]))
    assert isinstance(replies[-1], StepFailed)
    assert not (home / "a").exists()
