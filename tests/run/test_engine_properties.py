"""What must hold of any play on any host: order, check is apply, twice is once; and memory does what the shell does."""

from __future__ import annotations

import copy
import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from plays import Plays
from real_plays import RealPlays, tree
from scupi_provision.events import Proved
from scupi_provision.host.memory import HOME, MemoryHost, Node
from scupi_provision.shell.actions import Action, CopyFile, Link, Mkdir, Remove, SetMode, Touch, WriteFile
from scupi_provision.shell.compile import Turn
from scupi_provision.shell.entry import ABSENT, Kind
from scupi_provision.shell.replies import StepDone, StepFailed, StepStale

NAMES = ["a", "b", "d", "d/x", "d/y", "l", "d/e/z"]
CONTENTS = ["", "one\n", "two\n", "one\ntwo\n", "no line feed"]
MODES = [None, "0600", "0644", "u=rwX,go="]

names = st.sampled_from(NAMES)
contents = st.sampled_from(CONTENTS)
modes = st.sampled_from(MODES)


def task(module: str, **arguments: Any) -> dict[str, Any]:
    return {module: {name: value for name, value in arguments.items() if value is not None}}


def at(name: str) -> str:
    return f"~/{name}"


copies = st.builds(lambda n, c, m: task("copy", dest=at(n), content=c, mode=m), names, contents, modes)
folders = st.builds(lambda n, m: task("file", path=at(n), state="directory", mode=m), names, modes)
absents = st.builds(lambda n: task("file", path=at(n), state="absent"), names)
links = st.builds(
    lambda n, t, f: task("file", path=at(n), src=t, state="link", force=f),
    names,
    st.sampled_from(["a", "d"]),
    st.booleans(),
)
files = st.builds(lambda n, m: task("file", path=at(n), mode=m), names, modes)
lines = st.builds(
    lambda n, c, s: task("lineinfile", path=at(n), line=c, create=True, state=s),
    names,
    st.sampled_from(["one", "three"]),
    st.sampled_from(["present", "absent"]),
)
blocks = st.builds(lambda n, c: task("blockinfile", path=at(n), block=c, create=True), names, contents)
remote = st.builds(lambda s, n: task("copy", src=at(s), dest=at(n), remote_src=True), names, names)
declared = st.one_of(copies, folders, absents, links, files, lines, blocks, remote)
programs = st.one_of(
    st.builds(lambda n, c: {"shell": f"put {at(n)} {c}"}, names, st.sampled_from(["one", "x"])),
    st.builds(lambda n: {"shell": f"rm {at(n)}"}, names),
)
ignored = st.booleans().map(lambda ignore: {"ignore_errors": True} if ignore else {})


def tasks(kinds: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Some tasks; failures are ignored here and there, so that plays do not all end at the first."""
    return st.lists(st.builds(lambda one, more: {**one, **more}, kinds, ignored), min_size=1, max_size=6)


nodes = st.one_of(
    st.builds(lambda c, m: Node(Kind.FILE, m, c.encode()), contents, st.sampled_from([0o600, 0o644])),
    st.builds(lambda m: Node(Kind.DIRECTORY, m), st.sampled_from([0o700, 0o755])),
    st.builds(lambda t: Node(Kind.LINK, target=t), st.sampled_from(["a", "d", "nowhere"])),
)


def fits(tree: dict[str, Node]) -> bool:
    """Whether what is below something is below a directory."""
    for name in tree:
        parts = name.split("/")
        above = ["/".join(parts[:count]) for count in range(1, len(parts))]
        if any(tree.get(folder, Node(Kind.DIRECTORY)).kind is not Kind.DIRECTORY for folder in above):
            return False
    return True


trees = st.dictionaries(names, nodes, max_size=5).filter(fits)


def host(start: dict[str, Node], folder: Path) -> Plays:
    plays = Plays(folder)
    plays.memory.nodes.update({f"{HOME}/{name}": node for name, node in start.items()})
    plays.memory.__post_init__()
    return plays


def told(memory: MemoryHost) -> dict[str, Node]:
    return {path: node for path, node in memory.nodes.items() if not path.startswith(f"{HOME}/.provision")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("site")


def text_of(list_of_tasks: list[dict[str, Any]]) -> str:
    return json.dumps(list_of_tasks)


EMPTY = {"blockinfile": {"path": "~/a", "block": "", "create": True}}
AFTER = {"would_change": "changed"}
UNKNOWN = "known_after_apply"


@settings(max_examples=120, deadline=None)
@given(start=trees, play=tasks(declared))
@example(start={}, play=[EMPTY, task("file", path="~/a", mode="0600"), task("lineinfile", path="~/a", line="one")])
@example(
    start={},
    play=[EMPTY, task("copy", src="~/a", dest="~/b", remote_src=True), task("lineinfile", path="~/b", line="one")],
)
def test_check_says_what_apply_does(folder: Path, start: dict[str, Node], play: list[dict[str, Any]]) -> None:
    """Task by task, also what fails; and a check changes nothing.

    Of a folder that the play itself makes or fills nobody has seen the inside: its copy may be known after the apply.
    """
    plays = host(start, folder)
    before = copy.deepcopy(plays.memory.nodes)
    predicted = [AFTER.get(step.outcome.value, step.outcome.value) for step in plays.check(text_of(play)).steps]
    assert plays.memory.nodes == before
    applied = plays.apply(text_of(play))
    became = [event.outcome.value for event in applied.finished]
    assert all(said in {what, UNKNOWN} for said, what in zip(predicted, became, strict=False))
    assert len(became) == len(predicted) or UNKNOWN in predicted[: len(became)]
    copies = [one.get("copy", {}) for one in play]
    assert all("remote_src" in copies[at] for at, said in enumerate(predicted) if said == UNKNOWN)


@settings(max_examples=120, deadline=None)
@given(start=trees, play=tasks(declared))
@example(
    start={"a": Node(Kind.LINK, target="d"), "d": Node(Kind.DIRECTORY, 0o700)},
    play=[task("copy", src="~/a", dest="~/a", remote_src=True)],
)
def test_what_is_proved_changes_nothing_when_applied_again(
    folder: Path, start: dict[str, Node], play: list[dict[str, Any]]
) -> None:
    """What changes again is what the proof names: what remains, and what tasks do and undo on the way, to no end."""
    plays = host(start, folder)
    first = plays.apply(text_of(play))
    if first.run.verdict().failed:
        return
    (proof,) = [event for event in first.events if isinstance(event, Proved)]
    before = copy.deepcopy(told(plays.memory))
    again = plays.apply(text_of(play))
    changed = [event.task for event in again.finished if event.outcome.value in {"changed", "failed"}]
    assert sorted(changed, key=str) == sorted([*proof.remaining, *proof.undone], key=str)
    if not proof.remaining:
        assert told(plays.memory) == before


@settings(max_examples=120, deadline=None)
@given(start=trees, play=tasks(st.one_of(declared, programs)))
@example(start={}, play=[{"shell": "put ~/d/x one"}, task("file", path="~/d", state="absent")])
@example(
    start={},
    play=[
        task("file", path="~/d", src="a", state="link", force=True),
        task("blockinfile", path="~/d/x", block="", create=True),
    ],
)
def test_a_play_is_as_its_tasks_one_by_one(folder: Path, start: dict[str, Node], play: list[dict[str, Any]]) -> None:
    """Whatever programs do in between: the order means what it means in Ansible."""
    whole, single = host(start, folder), host(start, folder)
    outcomes = [event.outcome.value for event in whole.apply(text_of(play)).finished]
    expected = []
    for one in play:
        (event,) = single.apply(text_of([one])).finished
        expected.append(event.outcome.value)
        if expected[-1] == "failed":
            break
    assert outcomes == expected
    assert told(whole.memory) == told(single.memory)


paths = names.map(lambda name: f"{HOME}/{name}")
bits = st.sampled_from([0o600, 0o644, 0o755])
data = st.one_of(contents.map(str.encode), st.binary(max_size=40))
actions = st.one_of(
    st.builds(Mkdir, paths, st.sampled_from([0o700, 0o755]), st.just(ABSENT)),
    st.builds(WriteFile, paths, data, bits),
    st.builds(WriteFile, paths, data, bits, st.just(ABSENT)),
    st.builds(CopyFile, paths, paths, bits),
    st.builds(SetMode, paths, st.sampled_from([0o600, 0o700])),
    st.builds(Link, paths, st.sampled_from(["a", "d", "nowhere"])).filter(
        lambda link: not link.path.endswith(link.target)
    ),
    st.builds(Remove, paths, st.booleans()),
    st.builds(Touch, paths, bits),
)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Any:
    home = tmp_path_factory.mktemp("home")
    made = RealPlays(tmp_path_factory.mktemp("site"), home=home)
    yield made
    made.close()


_counter = itertools.count()


def moved(action: Action, base: str) -> Action:
    """The same action below another home."""
    changes = {name: base + getattr(action, name)[len(HOME) :] for name in ("path", "source") if hasattr(action, name)}
    return type(action)(**{**vars(action), **changes})


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=st.lists(actions, min_size=1, max_size=6))
@example(steps=[Link(f"{HOME}/l", "a"), Touch(f"{HOME}/l", 0o600)])
def test_memory_does_what_the_shell_does(real: RealPlays, steps: list[Action]) -> None:
    """The same word for how each step ended, and the same tree."""
    memory = MemoryHost()
    base = real.home / str(next(_counter))
    base.mkdir()
    base.chmod(0o755)
    stream = [Turn(number, [moved(step, str(base))]) for number, step in enumerate(steps)]
    said = [_WORDS[type(reply)] for reply in real.session.perform(stream) if type(reply) in _WORDS]
    expected = []
    for step in steps:
        expected.append(memory.perform([step]).outcome)
        if expected[-1] != "done":
            break
    assert said == expected
    assert tree(base) == below(memory)


_WORDS = {StepDone: "done", StepFailed: "failed", StepStale: "stale"}


def below(memory: MemoryHost) -> dict[str, Any]:
    return {path[len(HOME) + 1 :]: shown(node) for path, node in told(memory).items() if path.startswith(f"{HOME}/")}


def shown(node: Node) -> Any:
    if node.kind is Kind.LINK:
        return node.target
    return node.mode, node.content if node.kind is Kind.FILE else None
