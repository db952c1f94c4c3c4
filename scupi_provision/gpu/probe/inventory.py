"""Asking nvidia-smi about everything; each question has its time limit."""

from __future__ import annotations

import re
from pathlib import Path

from .listing import FIELDS, LATER_FIELDS, Answers, Inventory, understood
from .processes import Processes

_LIMIT_S = 30.0
"""GPUs that sleep are woken one after another, in about a second each."""
_APPS = "--query-compute-apps=gpu_uuid,pid,process_name,used_memory"
_CSV = "--format=csv,noheader,nounits"
_REFUSED = re.compile(r'Field "([\w.]+)" is not a valid field')


def take_inventory(processes: Processes) -> Inventory:
    """All GPUs, with those who use them; without nvidia-smi, or without a GPU, the inventory is empty and says why."""

    def ask(*question: str) -> str:
        return processes.run(["nvidia-smi", *question], _LIMIT_S).said

    gpus = _query(processes)
    answers = Answers(gpus, ask(_APPS, _CSV) if "GPU-" in gpus else "")
    if ", Enabled" in gpus:  # some GPU is cut into slices
        answers = Answers(gpus, answers.apps, ask("-L"), ask())
    return understood(answers, _owner)


def usage(processes: Processes) -> dict[str, tuple[int | None, int | None]]:
    """A second look at what changes fast: UUID to memory used (MiB) and utilisation (percent)."""
    said = processes.run(["nvidia-smi", f"--query-gpu={','.join(FIELDS)}", _CSV], _LIMIT_S).said
    return {gpu.uuid: (gpu.used_mib, gpu.busy_percent) for gpu in understood(Answers(said), _owner).gpus}


def _query(processes: Processes) -> str:
    fields = [*FIELDS, *LATER_FIELDS]
    while True:
        ended = processes.run(["nvidia-smi", f"--query-gpu={','.join(fields)}", _CSV], _LIMIT_S)
        refused = _REFUSED.search(ended.said)
        if refused is None or refused[1] not in fields:
            return ended.said or ended.problem
        fields = fields[: fields.index(refused[1])]  # those after it are younger still


def _owner(pid: int) -> str:
    """The owner's name, or number if that has no name; "" when the process is hidden (hidepid, containers) or gone."""
    folder = Path(f"/proc/{pid}")
    try:
        number = folder.stat().st_uid
        return folder.owner()
    except KeyError:
        return str(number)
    except OSError:
        return ""
