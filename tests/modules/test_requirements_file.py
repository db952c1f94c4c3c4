"""Requirements files: what is read from them, when pip runs for them, and that hashes can be insisted on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scupi_provision.host.memory import HOME, MemoryHost, Node
from scupi_provision.host.memory_planning import plan_on
from scupi_provision.host.record import TaskFailedError
from scupi_provision.modules.python.requirements_file import parse_file
from scupi_provision.modules.registry import MODULES
from scupi_provision.shell.actions import Run
from scupi_provision.shell.entry import Kind

ENVIRONMENT = f"{HOME}/env"
SITE = f"{ENVIRONMENT}/lib/python3.11/site-packages"
HASH = "sha256:" + "0" * 64
LOCKED = f"""\
# made by a tool
--only-binary :all:
numpy==2.2.6 \\
    --hash={HASH} \\
    --hash={HASH}
    # via torch
torch==2.6.0+cpu ; python_version >= "3.9" --hash={HASH}
"""


def test_comments_hashes_continued_lines_and_settings_are_understood():
    told = parse_file(LOCKED)
    assert told.requirements == ("numpy==2.2.6", 'torch==2.6.0+cpu ; python_version >= "3.9"')
    assert (told.unhashed, told.others) == ((), ())


@pytest.mark.parametrize(
    "line",
    [
        "-r other.txt",
        "-c constraints.txt",
        "-e .",
        "./wheel.whl",
        "https://example.org/a.whl",
        "--index-url https://x/",
    ],
)
def test_what_only_pip_understands_is_kept_apart(line):
    told = parse_file(f"numpy\n{line}\n")
    assert (told.requirements, told.others) == (("numpy",), (line,))


@given(
    st.lists(st.sampled_from(["numpy", "torch==2.6.0", "a[b]>=1,<2"])),
    st.sampled_from(["", "  ", "# note", "\t# note"]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_every_requirement_is_read_once_and_in_order(names, noise, end):
    text = "".join(f"{name} {noise}{end}{noise}{end}" for name in names)
    assert parse_file(text).requirements == tuple(names)


def host(*packages, file=b"numpy\ntorch\n"):
    memory = MemoryHost({f"{ENVIRONMENT}/pyvenv.cfg": Node(Kind.FILE)})
    memory.put(f"{HOME}/r.txt", file)
    for package in packages:
        memory.put(f"{SITE}/{package}.dist-info/METADATA", b"")
    return memory


def planned(memory, **args):
    given = {"virtualenv": "~/env", "requirements": "~/r.txt", **args}
    parsed = MODULES["pip"].args.model_validate(given)
    return plan_on(memory, lambda view: MODULES["pip"].plan(parsed, view))


def installed(memory, **args):
    """The host after the planned run of pip."""
    memory.put(planned(memory, **args).record.actions[-1].creates[0], b"")
    return memory


def test_what_was_installed_starts_no_pip():
    assert planned(installed(host("numpy-2.0", "torch-2.6.0"))).record.actions == []


def test_a_package_that_was_removed_by_hand_comes_back():
    memory = installed(host("numpy-2.0", "torch-2.6.0"))
    memory.remove(f"{SITE}/torch-2.6.0.dist-info")
    plan = planned(memory)
    assert isinstance(plan.record.actions[-1], Run)
    assert plan.record.diffs[-1].summary.endswith("install what /home/student/r.txt names (torch)")


def test_lines_that_cannot_be_judged_rest_on_the_stamp():
    assert planned(host(file=b"-r other.txt\n")).result.changed
    assert not planned(installed(host(file=b"-r other.txt\n"))).result.changed


def test_hashes_can_be_insisted_on():
    memory = host(file=LOCKED.encode())
    plan = planned(memory, require_hashes=True)
    assert "install --require-hashes --requirement" in " ".join(plan.record.actions[-1].argv)


@pytest.mark.parametrize("bare", ["pandas>=2", "-r other.txt"])
def test_what_has_no_hash_is_refused_before_anything_runs(bare):
    with pytest.raises(TaskFailedError, match=f"none for {bare}.*--generate-hashes"):
        planned(host(file=LOCKED.encode() + bare.encode()), require_hashes=True)


def test_hashes_without_a_file_are_refused():
    with pytest.raises(ValidationError, match="goes with requirements"):
        MODULES["pip"].args.model_validate({"virtualenv": "~/env", "name": "torch", "require_hashes": True})
