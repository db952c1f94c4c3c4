"""One run of pip in a virtual environment, planned so that it is made once and an interrupted one is taken up again."""

from __future__ import annotations

import hashlib
import json
import posixpath
from dataclasses import dataclass
from typing import Any

from scupi_provision.host.view import HostView
from scupi_provision.shell.actions import Run
from scupi_provision.shell.scripts import script
from scupi_provision.shell.words import words
from scupi_provision.values import UnknownValueError


def digest(inputs: Any) -> str:
    """16 hex digits for anything that JSON can say."""
    return hashlib.sha256(json.dumps(inputs).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class PipRun:
    """What to run, and where.

    Attributes:
        environment: The virtual environment.
        arguments: Of pip.
        state: What was installed before.
        summary: Words for people.
        places: Where pip looks, each as `pip_places` has it, tried in order; none for pip's own configuration.
        stamp: Name of the file that says it ended well; made from the rest when empty.
        requirements: A list of requirements, besides those in `arguments`.
        spent: A folder that is not needed any more when it ended well, or "".
    """

    environment: str
    arguments: list[str]
    state: list[str]
    summary: str
    places: tuple[str, ...] = ()
    stamp: str = ""
    requirements: str = ""
    spent: str = ""


def plan_run(host: HostView, call: PipRun) -> None:
    """Plan one durable run of pip.

    Its key holds what was installed before: an earlier run's result is only taken when it began from the same state.
    The stamp is written when pip ended well; one that is there though there is work to do is an old run's.
    """
    key = f"pip-{digest([call.environment, call.arguments, call.places, call.state, call.requirements])}"
    stamp = f"{call.environment}/.provision/{call.stamp or key}"
    try:
        host.remove(stamp)
    except UnknownValueError:
        host.record.reads.pop(stamp, None)  # the environment is new: there is none
    settings = {
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
        "PIP_PROGRESS_BAR": "off",  # its last line of output is what people see while it runs
        "PYTHONNOUSERSITE": "1",
    }
    if call.places:
        settings["PROVISION_PLACES"] = "\n".join(call.places)  # may hold a password: never on a command line
    python = posixpath.join(call.environment, "bin/python")
    listed = "yes" if call.requirements else ""
    run = Run(
        script(
            "pip.sh",
            python=python,
            arguments=words(*call.arguments),
            stamp=stamp,
            requirements=listed,
            spent=call.spent,
        ),
        stdin=call.requirements.encode(),
        environment=tuple(sorted(settings.items())),
        phase="pip",
        durable_key=key,
        creates=(stamp,),
        writes=(call.environment, *([call.spent] if call.spent else [])),
    )
    host.run(run, f"pip: {call.summary}")
