"""The inventory that leads to the lab, written like one that a person writes."""

from __future__ import annotations

import json

from scupi_provision.lab.layout import ACCOUNT, ADMIN, GIT_PATH, GPU, WHEELS_PATH, LabLayout
from scupi_provision.lab.state import DaemonState, Sources, write_atomically

_TEMPLATE = """\
# The embedded lab, written by `provision lab up`; changes here are lost at the next start.
all:
  vars:
{variables}
  hosts:
    {admin}:
      ansible_host: 127.0.0.1
      ansible_port: {port}
    {gpu}:
      ansible_host: {gpu}
      ansible_port: 22
      via: {admin}
accounts:
  - id: {account}
    key: {key}
"""


def lab_variables(layout: LabLayout, state: DaemonState, sources: Sources | None) -> dict[str, object]:
    """What every host of the lab has: its known_hosts, and where and which git and torch are to be had."""
    variables: dict[str, object] = {"provision_known_hosts": str(layout.known_hosts)}
    if sources is None:
        return variables
    mirror = f"http://127.0.0.1:{state.mirror_port}"
    return variables | {
        "git_version": sources.git_version,
        "git_sha256": sources.git_sha256,
        "git_tarball": sources.git_tarball,
        "git_mirrors": [f"{mirror}/{GIT_PATH}"],
        "torch_version": sources.torch_version,
        "torch_index_url": f"{mirror}/{WHEELS_PATH}",
        "torch_variant": "cpu",
        "torch_cpu_reason": "no GPU in the lab",
    }


def write_inventory(layout: LabLayout, state: DaemonState, variables: dict[str, object]) -> None:
    """Write `inventory.yaml` of the lab."""
    # JSON is YAML, and quotes every text: a version such as "2.40" must not become a number.
    lines = [f"    {name}: {json.dumps(value)}" for name, value in variables.items()]
    text = _TEMPLATE.format(
        variables="\n".join(lines),
        admin=ADMIN,
        gpu=GPU,
        port=state.admin_port,
        account=json.dumps(ACCOUNT),
        key=json.dumps(str(layout.client_key)),
    )
    write_atomically(layout.inventory, text)
