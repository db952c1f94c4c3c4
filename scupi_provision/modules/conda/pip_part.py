"""Packages of pip in a conda environment, by the environment's own python."""

from __future__ import annotations

from collections.abc import Sequence

from scupi_provision.host.view import HostView
from scupi_provision.modules.conda.place import Place
from scupi_provision.modules.conda.run import few
from scupi_provision.modules.python.requirements import Installed, applies, installed, is_satisfied, parse
from scupi_provision.modules.python.run import PipRun, plan_run
from scupi_provision.values import UnknownValueError


def plan_pip(
    host: HostView, place: Place, wanted: Sequence[str], options: Sequence[str], places: tuple[str, ...]
) -> bool:
    """Plan a run of pip for the requirements that are not met; whether one is needed.

    Args:
        host: Where.
        place: The environment.
        wanted: Requirements (PEP 508).
        options: More arguments of `pip install`.
        places: Where pip looks.
    """
    if not wanted:
        return False
    have = _installed(host, place)
    missing = [text for text in wanted if have is None or not _is_met(text, have, host)]
    if missing:
        state = sorted(f"{name} {version}" for name, version in have.versions.items()) if have else []
        arguments = ["install", *options, *missing]
        plan_run(host, PipRun(place.prefix, arguments, state, f"install {few(missing)}", places))
    return bool(missing)


def _is_met(text: str, have: Installed, host: HostView) -> bool:
    requirement = parse(text)
    machine = host.facts.raw.get("architecture", "")
    return not applies(requirement, have.python, machine) or is_satisfied(requirement, have)


def _installed(host: HostView, place: Place) -> Installed | None:
    """What python sees; None when the environment is only made, or is changed, by this plan."""
    if place.fresh:
        return None
    try:
        return installed(host.names(f"{place.prefix}/lib/python*/site-packages/*.dist-info"))
    except UnknownValueError:
        return None
