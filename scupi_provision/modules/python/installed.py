"""What is installed in a Python environment of a host, read from file names."""

from __future__ import annotations

from collections.abc import Iterable

from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules.python.requirements import Installed, applies, installed, is_satisfied, parse
from scupi_provision.shell.entry import Kind
from scupi_provision.values import UnknownValueError


def installed_in(host: HostView, environment: str) -> Installed | None:
    """What is installed; None when the environment is only made, or is changed, by this plan.

    Raises:
        TaskFailedError: There is no environment, neither a virtual one nor one of conda.
    """
    try:
        pattern = f"{environment}/lib/python*/site-packages/*.dist-info"
        marks = [f"{environment}/pyvenv.cfg", f"{environment}/conda-meta/history"]
        host.want(entries=marks, names=[pattern])
        if not any(host.entry(mark).kind is Kind.FILE for mark in marks):
            raise TaskFailedError(f"{environment} is not a Python environment; make it first (`venv`, `conda_env`)")
        return installed(host.names(pattern))
    except UnknownValueError:
        return None


def missing_of(host: HostView, wanted: Iterable[str], have: Installed | None) -> list[str]:
    """Those of the wanted requirements that are not fulfilled; all of them when nothing is known."""
    if have is None:
        return list(wanted)
    machine = host.facts.raw.get("architecture", "")
    parsed = [(text, parse(text)) for text in wanted]
    return [text for text, one in parsed if applies(one, have.python, machine) and not is_satisfied(one, have)]


def state_of(have: Installed | None) -> list[str]:
    """Names and versions, sorted: what a run of pip begins from."""
    return sorted(f"{name} {version}" for name, version in have.versions.items()) if have else []
