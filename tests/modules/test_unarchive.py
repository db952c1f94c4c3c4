"""unarchive: when it unpacks, and by what it knows that it has."""

import hashlib

import pytest
from pydantic import ValidationError
from scupi_provision.host.memory import HOME, MemoryHost, Node
from scupi_provision.host.memory_planning import plan_on
from scupi_provision.host.record import TaskFailedError
from scupi_provision.modules.contract import ControllerFile
from scupi_provision.modules.registry import MODULES
from scupi_provision.shell.actions import Extract, WriteFile
from scupi_provision.shell.entry import Kind
from scupi_provision.values import UnknownValueError

ARCHIVE = f"{HOME}/a.tar.gz"


def host(**more):
    nodes = {ARCHIVE: Node(Kind.FILE, content=b"archive"), f"{HOME}/tools": Node(Kind.DIRECTORY, 0o755)}
    return MemoryHost({**nodes, **more})


def planned(memory, **args):
    parsed = MODULES["unarchive"].args.model_validate(
        {"dest": "~/tools", "src": "~/a.tar.gz", "remote_src": True, **args}
    )
    return plan_on(memory, lambda view: MODULES["unarchive"].plan(parsed, view))


def stamp_of(plan):
    return next(action for action in plan.record.actions if isinstance(action, WriteFile) and "unpacked" in action.path)


def unpacked(memory):
    """Have the archive unpacked: the stamp, and something in the directory."""
    stamp = stamp_of(planned(memory))
    memory.put(stamp.path, stamp.content, stamp.mode)
    memory.put(f"{HOME}/tools/x", b"")


def test_the_stamp_is_written_after_unpacking():
    plan = planned(host(), extra_opts=["--strip-components=1"], exclude="doc")
    kinds = [type(action) for action in plan.record.actions]
    assert kinds.index(Extract) < kinds.index(WriteFile)
    extract = next(action for action in plan.record.actions if isinstance(action, Extract))
    assert (extract.archive, extract.directory) == (ARCHIVE, f"{HOME}/tools")
    assert extract.options == ("--strip-components=1", "--exclude=doc")


def test_what_was_unpacked_is_left_alone():
    memory = host()
    unpacked(memory)
    plan = planned(memory)
    assert not plan.result.changed
    assert plan.record.actions == []


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda memory: memory.put(ARCHIVE, b"a newer archive"),
        lambda memory: memory.remove(f"{HOME}/tools/x"),
        lambda memory: memory.remove(f"{HOME}/.provision"),
    ],
)
def test_it_is_unpacked_again_when_the_archive_is_another_or_the_directory_is_empty(meanwhile):
    memory = host()
    unpacked(memory)
    meanwhile(memory)
    assert planned(memory).result.changed


def test_creates_decides_when_it_is_given():
    memory = host()
    assert planned(memory, creates="~/tools/x").result.changed
    memory.put(f"{HOME}/tools/x", b"")
    assert not planned(memory, creates="~/tools/?").result.changed


def test_an_archive_of_the_controller_goes_through_the_cache():
    plan = planned(host(), src=ControllerFile("files/b.zip", b"zip"), remote_src=False)
    digest = hashlib.sha256(b"zip").hexdigest()
    extract = next(action for action in plan.record.actions if isinstance(action, Extract))
    assert extract.archive == f"{HOME}/.provision/cache/{digest[:16]}-b.zip"


def test_into_the_home_the_stamp_is_still_written():
    """What is unpacked there may be anything, but not our own folder."""
    assert stamp_of(planned(host(), dest="~"))


def test_an_archive_that_is_only_downloaded_without_a_checksum_is_not_known():
    def plan(view):
        view.fetch(["https://mirror.example/b.tar"], "~/b.tar", None)
        args = MODULES["unarchive"].args.model_validate({"dest": "~/tools", "src": "~/b.tar", "remote_src": True})
        return MODULES["unarchive"].plan(args, view)

    with pytest.raises(UnknownValueError):
        plan_on(host(), plan)


@pytest.mark.parametrize(
    ("args", "why"),
    [
        ({"dest": "~/none"}, "make it first"),
        ({"src": "~/none.tar"}, "does not exist"),
    ],
)
def test_fails(args, why):
    with pytest.raises(TaskFailedError, match=why):
        planned(host(), **args)


@pytest.mark.parametrize(
    "args",
    [
        {"src": "https://x.example/a.tar", "remote_src": False},
        {"validate_certs": False},
        {"include": "a", "exclude": "b"},
    ],
)
def test_refuses(args):
    with pytest.raises(ValidationError):
        planned(host(), **args)
