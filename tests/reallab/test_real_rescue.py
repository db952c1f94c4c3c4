"""Accounts that their start-up files keep everybody out of, got back over a real sshd: every one that can be."""

from __future__ import annotations

import re
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # whatever pytest's import mode
sys.path.insert(1, str(Path(__file__).parents[1] / "transport"))

from hostile_logins import HOSTILE, Hostile
from login_farm import hostile_farm
from scupi_provision.errors import ProvisionError
from scupi_provision.host.recovery import Finding, Healthy, LoggedIn, Repaired, Step, WayTried
from scupi_provision.inventory.load import load_inventory
from scupi_provision.run.choosing import choose_host
from scupi_provision.run.request import RunRequest
from scupi_provision.run.rescue import RescueWish, rescue
from scupi_provision.run.rescuing import ways_in

_AT_ONCE = 6
_PATIENCE_S = 4
_WAYS = {"exec": ways_in.COMMAND, "shell": ways_in.LOGIN_SHELL, "terminal": ways_in.TERMINAL, "sftp": ways_in.FILES}


@dataclass(frozen=True)
class Seen:
    """What a rescue told, and how it ended."""

    steps: list[Step]
    error: ProvisionError | None

    def of(self, kind: type) -> list[Step]:
        """The steps of one kind."""
        return [step for step in self.steps if isinstance(step, kind)]


@pytest.fixture(scope="module")
def farm():
    with hostile_farm() as farm:
        yield farm


@pytest.fixture(scope="module")
def inventory(farm, tmp_path_factory) -> Path:
    """The farm as the inventory of a class."""
    path = tmp_path_factory.mktemp("class") / "inventory.yaml"
    path.write_text(farm.inventory([each.name for each in HOSTILE], _PATIENCE_S))
    return path


def _rescue(inventory: Path, account: str, wish: RescueWish) -> Seen:
    known = load_inventory(inventory)
    steps: list[Step] = []
    try:
        request, host = RunRequest(inventory, inventory), choose_host(known, "admin1", account)
        steps.extend(rescue(known, request, host, wish, lambda _: True))
    except ProvisionError as error:
        return Seen(steps, error)
    return Seen(steps, None)


@pytest.fixture(scope="module")
def rescued(farm, inventory) -> dict[str, Future[Seen]]:
    """Every account after its rescue, several at a time."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return {each.name: pool.submit(_rescue, inventory, each.name, RescueWish()) for each in HOSTILE}


@pytest.mark.parametrize("hostile", [each for each in HOSTILE if each.faulty], ids=lambda each: each.name)
def test_what_is_wrong_is_found_and_taken_out_and_nothing_else(hostile, farm, rescued):
    seen = rescued[hostile.name].result()
    assert seen.error is None, seen.error and seen.error.diagnostic
    found = seen.of(Finding)
    assert hostile.faulty in found[0].text, found
    path = farm.home(hostile.name) / hostile.file
    assert _uncommented(path.read_bytes(), hostile) == hostile.content
    assert seen.of(Repaired)[0].backup == f"{path}.before-rescue-1"
    assert Path(f"{path}.before-rescue-1").read_bytes() == hostile.content
    assert seen.of(LoggedIn)[-1].problem == ""


def _uncommented(content: bytes, hostile: Hostile) -> bytes:
    """The file with the lines that were taken out back in; of Windows' line ends nothing but these is changed."""
    lines = re.sub(rb"(?m)^# provision rescue [-0-9]{10}: ", b"", content)
    return lines.replace(b"\n", b"\r\n") if b"\r\n" in hostile.content else lines


@pytest.mark.parametrize("hostile", [each for each in HOSTILE if each.faulty], ids=lambda each: each.name)
def test_the_first_way_that_leads_in_is_taken(hostile, rescued):
    ways = rescued[hostile.name].result().of(WayTried)
    assert [way.way for way in ways if not way.problem] == [_WAYS[hostile.way]], ways


@pytest.mark.parametrize(
    "hostile", [each for each in HOSTILE if not each.faulty and each.way == "exec"], ids=lambda each: each.name
)
def test_a_healthy_account_is_left_as_it_is(hostile, farm, rescued):
    seen = rescued[hostile.name].result()
    assert seen.error is None, seen.error and seen.error.diagnostic
    assert seen.of(Healthy), seen.steps
    home = farm.home(hostile.name)
    assert (home / hostile.file).read_bytes() == hostile.content
    left = {str(path.relative_to(home)) for path in home.rglob("*")} - {".profile"}
    assert left == {".ssh", ".ssh/authorized_keys", hostile.file}


@pytest.mark.parametrize("hostile", [each for each in HOSTILE if not each.way], ids=lambda each: each.name)
def test_an_account_without_a_shell_is_explained(hostile, rescued):
    seen = rescued[hostile.name].result()
    assert seen.error is not None
    assert "WebShell" in seen.error.diagnostic.hint


def test_a_host_on_which_nothing_can_be_tried_is_explained(rescued):
    error = rescued["no-files"].result().error
    assert error is not None
    assert "ulimit -f" in error.diagnostic.detail
