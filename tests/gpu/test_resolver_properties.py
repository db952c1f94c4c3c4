"""What holds for every machine, and for every row of the table. The judge here shares no code with the resolver."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from scupi_provision.gpu.capability import Capability
from scupi_provision.gpu.machine import Machine, Wish, read_wish
from scupi_provision.gpu.resolver import resolve
from scupi_provision.gpu.torch_builds import CPU, torch_builds

TABLE = torch_builds()
PIP_GPU = [build for build in TABLE.builds if build.tag != CPU]
DRIVERS = (
    "", "418.226.00", "440.33", "445", "450.51.05", "450.80.02", "470.182.03", "510.47.03", "525.60",
    "525.60.13", "535.104.05", "550.54", "560.35.03", "570.86", "575.57", "580", "580.65.06", "590.44", "610.43",
)  # fmt: skip
CUDAS = ("", "10.2", "11.0", "11.4", "11.6", "12.0", "12.2", "12.4", "12.6", "12.8", "12.9", "13.0", "13.1", "13.2")
GPUS = (
    "3.5", "3.7", "5.2", "6.1", "7.0", "7.2", "7.5", "8.0", "8.6", "8.9", "9.0", "10.0", "10.3", "12.0", "12.1", "13.0",
)  # fmt: skip
GLIBCS = ("", "2.12", "2.17", "2.18", "2.27", "2.28", "2.34", "2.39")
PYTHONS = ("", *(f"3.{minor}" for minor in range(6, 17)))
COMPANIONS = ((), ("torchvision",), ("torchvision", "torchaudio"))

capabilities = st.lists(st.sampled_from(GPUS), max_size=3, unique=True).map(
    lambda texts: tuple(sorted(map(Capability.parse, texts)))
)
machines = st.builds(
    Machine,
    st.sampled_from(DRIVERS), st.sampled_from(CUDAS), capabilities, st.sampled_from(GLIBCS), st.sampled_from(PYTHONS),
)  # fmt: skip
wishes = st.builds(
    read_wish,
    version=st.sampled_from(("", "2.4", "2.6.0", ">=2.1,<2.9", "2.14", "1.13")),
    tag=st.sampled_from(("", "cu118", "cu126", "cu130")),
    companions=st.sampled_from(COMPANIONS),
)


def numbers(text):
    return tuple(int(part) for part in text.split("."))


def at_least(have, floor):
    """Whether version `have` is `floor` or later, part by part."""
    length = max(len(numbers(have)), len(numbers(floor)))
    return numbers(have) + (0,) * (length - len(numbers(have))) >= numbers(floor) + (0,) * (
        length - len(numbers(floor))
    )


def knows(machine):
    """The CUDA of the machine's driver: as given, or the one that came with the first driver of its family."""
    floors = (("580", "13.0"), ("525.60.13", "12.0"), ("450.80.02", "11.0"), ("440.33", "10.2"))
    return machine.cuda or next((cuda for driver, cuda in floors if at_least(machine.driver, driver)), "")


def runs_on(build, gpu, machine):
    cubin = any(code.made_for.major == gpu.major and code.made_for.minor <= gpu.minor for code in build.codes)
    ptx = any(code.ptx and (code.made_for.major, code.made_for.minor) <= (gpu.major, gpu.minor) for code in build.codes)
    return cubin or (ptx and knows(machine) != "" and at_least(knows(machine), build.cuda))


def suits(build, machine):
    return (
        machine.driver != ""
        and at_least(machine.driver, build.driver)
        and (not machine.glibc or at_least(machine.glibc, build.glibc))
        and (
            not machine.python
            or (at_least(machine.python, build.python[0]) and at_least(build.python[1], machine.python))
        )
        and all(runs_on(build, gpu, machine) for gpu in machine.capabilities)
    )


def may_be_had(build, wish):
    asked = wish.exact and wish.tag
    there = not any(name in wish.companions for name, _ in build.lacks)
    return wish.versions.contains(build.torch) and wish.tag in {"", build.tag} and there and (not build.unsure or asked)


def age(build):
    return numbers(build.torch), numbers(build.cuda)


def torch_of(machine, wish=None):
    choice = resolve(machine, wish or Wish(), TABLE).choice
    return numbers(choice.torch) if choice else ()


@given(machines, wishes)
def test_a_choice_suits_in_every_respect(machine, wish):
    """Never a build whose driver, glibc, capability or Python is not met, or that was not asked for."""
    choice = resolve(machine, wish, TABLE).choice
    if choice is not None:
        assert suits(choice, machine)
        assert may_be_had(choice, wish)


@given(machines, wishes)
def test_no_newer_torch_would_have_done(machine, wish):
    there = [build for build in PIP_GPU if suits(build, machine) and may_be_had(build, wish)]
    newest = max((numbers(build.torch) for build in there), default=())
    assert torch_of(machine, wish) == newest


@given(machines, wishes)
def test_of_one_torch_the_newest_cuda_that_the_driver_knows(machine, wish):
    choice = resolve(machine, wish, TABLE).choice
    if choice is None:
        return
    there = [b for b in PIP_GPU if b.torch == choice.torch and suits(b, machine) and may_be_had(b, wish)]
    known = [numbers(b.cuda) for b in there if knows(machine) and at_least(knows(machine), b.cuda)]
    assert numbers(choice.cuda) == (max(known) if known else min(numbers(b.cuda) for b in there))


@given(machines, wishes, st.sampled_from(DRIVERS[1:]))
def test_a_newer_driver_never_gives_an_older_torch(machine, wish, newer):
    older = machine.driver
    if older and at_least(newer, older):
        changed = Machine(newer, machine.cuda, machine.capabilities, machine.glibc, machine.python)
        assert torch_of(changed, wish) >= torch_of(machine, wish)


@given(machines, st.sampled_from(GLIBCS[1:]))
def test_a_newer_c_library_never_gives_an_older_torch(machine, newer):
    if machine.glibc and at_least(newer, machine.glibc):
        changed = Machine(machine.driver, machine.cuda, machine.capabilities, newer, machine.python)
        assert torch_of(changed) >= torch_of(machine)


@given(machines, capabilities)
def test_another_gpu_never_gives_a_newer_torch(machine, more):
    gpus = tuple(sorted({*machine.capabilities, *more}))
    assert torch_of(Machine(machine.driver, machine.cuda, gpus, machine.glibc, machine.python)) <= torch_of(machine)


@given(machines, wishes)
def test_everything_newer_is_told_with_a_reason_that_holds(machine, wish):
    """Each build that is newer than the choice is among the rejected, and its reasons are true."""
    found = resolve(machine, wish, TABLE)
    told = {one.build: one.reasons for one in found.rejected}
    newer = {build for build in PIP_GPU if found.choice is None or age(build) > age(found.choice)}
    assert set(told) == newer
    for build, reasons in told.items():
        kinds = {reason.kind for reason in reasons}
        assert kinds
        assert kinds == {"order"} or not (suits(build, machine) and may_be_had(build, wish))
        assert "glibc" not in kinds or not at_least(machine.glibc, build.glibc)
        assert "driver" not in kinds or not machine.driver or not at_least(machine.driver, build.driver)
        assert "arch" not in kinds or not all(runs_on(build, gpu, machine) for gpu in machine.capabilities)


@given(machines, wishes)
def test_what_is_offered_instead_suits_too(machine, wish):
    found = resolve(machine, wish, TABLE)
    if found.conda is not None:
        assert suits(found.conda, machine)
    if found.cpu is not None:
        assert not machine.glibc or at_least(machine.glibc, found.cpu.glibc)
        assert wish.versions.contains(found.cpu.torch)


def test_every_row_can_be_had():
    """Asked for by name, on a machine that just meets what it needs, each build of the table is the choice."""
    for build in PIP_GPU:
        codes = [code.made_for for code in build.codes]
        machine = Machine(build.driver, build.cuda, (min(codes), max(codes)), build.glibc, build.python[1])
        wish = read_wish(version=f"{build.torch}+{build.tag}")
        assert resolve(machine, wish, TABLE).choice == build
