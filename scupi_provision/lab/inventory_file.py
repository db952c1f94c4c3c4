"""The inventory that leads to the lab, written like one that a person writes."""

from __future__ import annotations

import json
from pathlib import Path

from scupi_provision.lab.layout import (
    ACCOUNT,
    ADMIN,
    CONDA_PATH,
    GIT_PATH,
    GPU,
    MINIFORGE_PATH,
    PYTHON_PATH,
    SIMPLE_PATH,
    TORCH_PATH,
    LabLayout,
)
from scupi_provision.lab.state import Sources, write_atomically

_TEMPLATE = """\
# The lab, written by `provision lab up`; changes here are lost at the next start.
all:
  vars:
{variables}
  hosts:
    {admin}:
      ansible_host: {address}
      ansible_port: {port}
    {gpu}:
      ansible_host: {gpu}
      ansible_port: 22
      via: {admin}
accounts:
  - id: {account}
    key: {key}
"""


def lab_variables(known_hosts: Path, mirror: str, sources: Sources | None) -> dict[str, object]:
    """What every host of a lab has: its known_hosts, and where which sources are to be had.

    Args:
        known_hosts: The host keys of both nodes.
        mirror: The mirror's URL as the nodes see it, without a slash at the end.
        sources: What it serves; None for a lab without sources.
    """
    variables: dict[str, object] = {
        "provision_known_hosts": str(known_hosts),
        "torch_cpu_reason": "no GPU in the lab",
    }
    if sources is None:
        return variables
    parts = (part(mirror, sources) for part in (_git, _python, _conda, _torch))
    return variables | {name: value for part in parts for name, value in part.items()}


def _git(mirror: str, sources: Sources) -> dict[str, object]:
    return {
        "git_version": sources.git_version,
        "git_sha256": sources.git_sha256,
        "git_tarball": sources.git_tarball,
        "sources_git": [f"{mirror}/{GIT_PATH}"],
    }


def _python(mirror: str, sources: Sources) -> dict[str, object]:
    if not sources.python_version:
        return {}
    return {
        "python_version": sources.python_version,
        "python_sha256": sources.python_sha256,
        "sources_python": [f"{mirror}/{PYTHON_PATH}"],
    }


def _conda(mirror: str, sources: Sources) -> dict[str, object]:
    if not sources.conda_version:
        return {}
    releases = f"{mirror}/{MINIFORGE_PATH}"
    return {
        "conda_version": sources.conda_version,
        "conda_sha256": sources.conda_sha256,
        "conda_urls": [f"{releases}/{sources.conda_version}/{sources.conda_installer}"],
        "sources_miniforge": [releases],
        "sources_conda": [sources.conda_channels or f"{mirror}/{CONDA_PATH}"],
        "conda_env_python": sources.env_python,
    }


def _torch(mirror: str, sources: Sources) -> dict[str, object]:
    return {
        "torch_version": sources.torch_version,
        "sources_torch": [f"{mirror}/{TORCH_PATH}"],
        "sources_pip": [f"{mirror}/{SIMPLE_PATH}"],
        "torch_variant": "cpu",
    }


def write_inventory(layout: LabLayout, address: str, port: int, variables: dict[str, object]) -> None:
    """Write `inventory.yaml` of the lab, whose admin1 listens at `address` on `port`."""
    # JSON is YAML, and quotes every text: a version such as "2.40" must not become a number.
    lines = [f"    {name}: {json.dumps(value)}" for name, value in variables.items()]
    text = _TEMPLATE.format(
        variables="\n".join(lines),
        admin=ADMIN,
        gpu=GPU,
        address=address,
        port=port,
        account=json.dumps(ACCOUNT),
        key=json.dumps(str(layout.client_key)),
    )
    write_atomically(layout.inventory, text)
