"""Installing Jupyter into an environment: a play of one role, applied by the same engine as every other."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from scupi_provision.errors import StepFailedError
from scupi_provision.events import Event, RunFinished
from scupi_provision.inventory.models import Host
from scupi_provision.run.apply import apply
from scupi_provision.run.request import RunRequest
from scupi_provision.run.site import load_site

_PLAY = """\
- name: Jupyter
  hosts: {installs}
  verify: {runs}
  roles:
    - role: jupyter
      jupyter_env: !unsafe {environment}
      jupyter_packages: {packages}
      jupyter_gpu_host: {runs}
"""


def install_jupyter(
    request: RunRequest, installs: Host, runs: Host, environment: str, packages: Sequence[str]
) -> Iterator[Event]:
    """Install `packages` on the host that installs, and prove them where they run; yields the events of the apply.

    Raises:
        StepFailedError: It did not come to an end; the events say why.
    """
    play = play_text(installs.base, runs.base, environment, packages)
    with tempfile.TemporaryDirectory(prefix="provision-jupyter-") as folder:
        playbook = Path(folder, "jupyter.yaml")
        playbook.write_text(play, encoding="utf-8")
        site = load_site(replace(request, playbook=playbook, limit=installs.account))
        for event in apply(site):
            yield event
            if isinstance(event, RunFinished) and event.exit_code != 0:
                raise StepFailedError(
                    f"Jupyter is not installed in {environment}",
                    hint="what failed is above; the same command goes on from there",
                )


def play_text(installs: str, runs: str, environment: str, packages: Sequence[str]) -> str:
    """The play, for hosts by their names in the inventory. The environment's path is data, no template."""
    values = {"installs": installs, "runs": runs, "environment": environment, "packages": list(packages)}
    return _PLAY.format(**{name: json.dumps(value) for name, value in values.items()})
