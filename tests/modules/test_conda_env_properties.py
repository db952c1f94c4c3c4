"""conda_env over any sequence of wishes: what is asked for is there, what is a person's stays, and twice is once."""

from __future__ import annotations

import posixpath
import shlex

from conda_hosts import ENV, PREFIX, setting, with_conda
from hypothesis import given
from hypothesis import strategies as st
from scupi_provision.host.memory import MemoryHost
from scupi_provision.host.memory_planning import apply_on, plan_on
from scupi_provision.modules.conda.specs import CondaPackage, parse_spec
from scupi_provision.modules.registry import MODULES
from scupi_provision.shell.replies import RunReply

UNIVERSE = {
    "python": ["3.11.9", "3.12.4"], "numpy": ["1.26.4", "2.1.0"], "scipy": ["1.13.0", "1.14.1"], "pip": ["24.0"],
    "mine": ["1.0"],
}  # fmt: skip
NEEDS = {"scipy": ["numpy"]}


def best(spec):
    """The newest package that fits, as a solver takes it."""
    found = [CondaPackage(spec.name, version, "0") for version in UNIVERSE[spec.name]]
    return [package for package in found if spec.allows(package)][-1]


def conda(run, memory):
    """What the planned program does to the names in an environment; what is not asked for comes as a need."""
    prefix = setting(run, "prefix")
    if setting(run, "task") == "create":
        memory.remove(prefix)
    have = {
        posixpath.basename(path).rsplit("-", 2)[0]: path for path in memory.nodes if f"{prefix}/conda-meta/" in path
    }
    for name in shlex.split(setting(run, "remove")):
        memory.remove(have.pop(name))
    for text in shlex.split(setting(run, "specs")):
        package = best(parse_spec(text))
        for name in (package.name, *(need for need in NEEDS.get(package.name, []) if need not in have)):
            chosen = package if name == package.name else best(parse_spec(name))
            if name in have:
                memory.remove(have[name])
            have[name] = f"{prefix}/conda-meta/{chosen.full_name}.json"
            memory.put(have[name], b"")
    names = "\n".join(posixpath.basename(path).removesuffix(".json") for path in have.values())
    memory.put(f"{prefix}/.provision/packages", names.encode())
    for path in run.creates:
        memory.put(path, b"")
    return RunReply(0, 0, b"", b"", "")


def planner(wish):
    args = MODULES["conda_env"].args.model_validate({"path": ENV, "conda": PREFIX, **wish})
    return lambda view: MODULES["conda_env"].plan(args, view)


def installed(memory):
    prefix = memory.nodes[ENV].target
    names = (posixpath.basename(path).removesuffix(".json") for path in memory.nodes if f"{prefix}/conda-meta/" in path)
    return {name.rsplit("-", 2)[0]: CondaPackage(*name.rsplit("-", 2)) for name in names}


_packages = st.lists(
    st.sampled_from(["numpy", "numpy<2", "numpy>=2", "scipy", "scipy=1.13", "pip"]),
    max_size=3,
    unique_by=lambda text: text[:3],
)
wishes = st.fixed_dictionaries(
    {"python": st.sampled_from(["3.11", "3.12", ">=3.11"]), "packages": _packages, "exact": st.booleans()}
)


@given(st.lists(st.tuples(wishes, st.booleans()), min_size=1, max_size=4))
def test_any_sequence_of_wishes_converges(sequence):
    memory = with_conda(MemoryHost(run=conda))
    for wish, person_adds in sequence:
        _, performed = apply_on(memory, planner(wish))
        assert performed.outcome == "done", performed.why
        have = installed(memory)
        assert all(parse_spec(text).allows(have[parse_spec(text).name]) for text in wish["packages"])
        assert plan_on(memory, planner(wish)).record.actions == []
        if person_adds:
            prefix = memory.nodes[ENV].target
            memory.put(f"{prefix}/conda-meta/mine-1.0-0.json", b"")
            after = plan_on(memory, planner(wish))
            assert after.result.changed is (wish["exact"] and "mine" not in have)
            apply_on(memory, planner(wish))
            assert ("mine" in installed(memory)) is (not wish["exact"] or "mine" in have)


@given(wishes, wishes)
def test_what_a_person_added_outlives_other_wishes_for_the_same_python(first, second):
    memory = with_conda(MemoryHost(run=conda))
    apply_on(memory, planner({**first, "exact": False, "python": "3.11"}))
    memory.put(f"{memory.nodes[ENV].target}/conda-meta/mine-1.0-0.json", b"")
    apply_on(memory, planner({**second, "exact": False, "python": ">=3.11"}))
    assert "mine" in installed(memory)
