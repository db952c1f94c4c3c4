"""The host in memory does with an action what the shell runtime does: same outcome, same tree."""

import itertools
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scupi_provision.host.memory import FACTS, MemoryHost
from scupi_provision.host.snapshot import Needs, Snapshot
from scupi_provision.run.session import Session
from scupi_provision.shell.actions import CopyFile, Link, Mkdir, Recheck, Remove, SetMode, Touch, WriteFile
from scupi_provision.shell.compile import Turn
from scupi_provision.shell.entry import ABSENT, Entry, Kind
from scupi_provision.shell.replies import StepFailed, StepStale
from scupi_provision.transport.local import LocalTransport

NAMES = ("a", "b", "c", "a/x", "b/y", "a/x/z")
names = st.sampled_from(NAMES)
files = st.sampled_from([0o600, 0o644, 0o755])
folders = st.sampled_from([0o700, 0o755])
contents = st.sampled_from([b"", b"text\n", b"it's\x00\xff", b"x" * 70_000])
guards = st.sampled_from(
    [None, ABSENT, Entry(Kind.FILE), Entry(Kind.DIRECTORY), Entry(Kind.FILE, 0o600), Entry(Kind.LINK)]
)
runs = itertools.count()

actions = st.one_of(
    st.builds(Mkdir, names, folders, guards),
    st.builds(WriteFile, names, contents, files, guards),
    st.builds(CopyFile, names, names, files, guards),
    st.builds(SetMode, names, folders, guards),
    st.builds(Link, names, names, guards).filter(lambda link: link.path != link.target),
    st.builds(Remove, names, st.booleans(), guards),
    st.builds(Touch, names, files, guards),
    st.builds(lambda name, entry: Recheck(((name, entry),)), names, guards.filter(bool)),
)


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    transport = LocalTransport({"HOME": str(home), "PATH": os.environ["PATH"], "SHELL": "/bin/sh", "USER": "me"})
    opened = Session(transport, run_id="run-1", owner="tests")
    opened.home = home
    yield opened
    opened.close()
    transport.close()


def below(base, action):
    """`action` with its paths below `base`; targets of links stay relative to it."""
    if isinstance(action, Recheck):
        return Recheck(tuple((f"{base}/{path}", entry) for path, entry in action.entries))
    fields = {name: f"{base}/{getattr(action, name)}" for name in ("path", "source", "target") if hasattr(action, name)}
    return type(action)(**{**vars(action), **fields})


def outcome_on(session, steps):
    outcome = len(steps), "done"
    for reply in session.perform([Turn(number, [action]) for number, action in enumerate(steps)]):
        if isinstance(reply, StepFailed | StepStale):
            outcome = reply.step, "failed" if isinstance(reply, StepFailed) else "stale"
    return outcome


def outcome_in(memory, steps):
    for number, action in enumerate(steps):
        performed = memory.perform([action])
        if performed.outcome != "done":
            return number, performed.outcome
    return len(steps), "done"


@pytest.mark.real
@given(st.lists(actions, min_size=1, max_size=8))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_memory_does_what_the_runtime_does(session, steps):
    base = session.home / str(next(runs))
    base.mkdir()
    steps = [below(base, action) for action in steps]
    memory = MemoryHost(facts={**FACTS, "home": str(session.home)})
    memory.perform([Mkdir(str(base), 0o755)])
    assert outcome_on(session, steps) == outcome_in(memory, steps)
    paths = [f"{base}/{name}" for name in NAMES]
    snapshot = Snapshot()
    session.read(Needs(entries=dict.fromkeys(paths)), snapshot)
    assert {path: snapshot.entries[path] for path in paths} == {path: memory.entry(path) for path in paths}
