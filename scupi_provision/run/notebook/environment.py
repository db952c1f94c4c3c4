"""The Python environment in which Jupyter shall run, and what of Jupyter it has."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from scupi_provision.errors import InputError
from scupi_provision.run.session import Session
from scupi_provision.shell import notebooks
from scupi_provision.source import suggestion

Interface = Literal["lab", "notebook", "none"]
"""What a person sees in the browser; with "none" there is only the API, for editors that bring a face of their own."""

DEFAULT_ENVIRONMENT = "torch"
"""The name that the roles conda_env and python_venv give when nobody names one."""

_SERVER = ("jupyter_server", "ipykernel")
_FACES: Mapping[Interface, str] = {"lab": "jupyterlab", "notebook": "notebook"}
_PAGES: Mapping[Interface, str] = {"lab": "lab", "notebook": "tree", "none": ""}


@dataclass(frozen=True)
class Environment:
    """An environment on the node.

    Attributes:
        path: Where it is.
        packages: Versions by name, of those that matter here.
        chooser: The program that starts its python on a free GPU; "" when there is none.
    """

    path: str
    packages: Mapping[str, str]
    chooser: str = ""

    def interface(self, wanted: Interface | None) -> Interface:
        """What is wanted, else what is there, else JupyterLab."""
        if wanted is not None:
            return wanted
        return "notebook" if "notebook" in self.packages and "jupyterlab" not in self.packages else "lab"

    def missing(self, wanted: Interface | None) -> tuple[str, ...]:
        """The packages that have to be installed first, as pip names them."""
        face = _FACES.get(self.interface(wanted))
        needed = (*([face] if face else []), *_SERVER)
        return tuple(name for name in needed if name not in self.packages)

    def page(self, wanted: Interface | None) -> str:
        """The page to open, below the server's address."""
        return _PAGES[self.interface(wanted)]

    def kernel(self) -> str:
        """The text of `kernel.json` for this environment.

        Each kernel takes the GPU that is free when it starts. IPython's history would be a database in the home, and
        locks on network file systems hang; in memory it serves the session all the same.
        """
        python = f"{self.path}/bin/python"
        start = ["-m", "ipykernel_launcher", "-f", "{connection_file}", "--HistoryManager.hist_file=:memory:"]
        specification = {
            "argv": [self.chooser or python, *start],
            "env": {"PROVISION_PYTHON": python},
            "display_name": f"Python 3 ({self.path.rsplit('/', 1)[-1]})",
            "language": "python",
            "metadata": {"debugger": True},
        }
        return json.dumps(specification)


def find_environment(session: Session, wanted: str | None) -> Environment:
    """The environment called (or at) `wanted` on the session's host; without one, `torch` or the only one there is.

    Raises:
        InputError: There is none such.
    """
    there, found = _look(session, wanted or DEFAULT_ENVIRONMENT)
    if found is None and wanted is None and len(there) == 1:
        there, found = _look(session, there[0])
    if found is not None:
        return found
    raise InputError(
        f'there is no Python environment "{wanted or DEFAULT_ENVIRONMENT}" on the node',
        detail="\n".join(f"there is: {path}" for path in there[:20]),
        hint=_advice(wanted, there),
    )


def _look(session: Session, wanted: str) -> tuple[list[str], Environment | None]:
    told = session.ask(notebooks.look(wanted))
    there = [fact.value for fact in told if fact.name == "environment"]
    facts = {fact.name: fact.value for fact in told}
    if "chosen" not in facts:
        return there, None
    packages = {name[8:]: version for name, version in facts.items() if name.startswith("package_")}
    return there, Environment(facts["chosen"], packages, facts.get("chooser", ""))


def _advice(wanted: str | None, there: Sequence[str]) -> str:
    if not there:
        return "make one first: provision apply site.yaml"
    names = [path.rsplit("/", 1)[-1] for path in there]
    return (wanted and suggestion(wanted, names)) or f"name one: --env {names[0]}, or its path"
