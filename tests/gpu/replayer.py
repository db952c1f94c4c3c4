"""A stand-in for nvidia-smi: a program that answers with what a real one has said (see recorded/README.md)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

RECORDED = Path(__file__).with_name("recorded")
NAMES = sorted(path.stem for path in RECORDED.glob("*.yaml"))

_PROGRAM = """\
#!{python} -IS
# A stand-in for nvidia-smi, made by tests/gpu/replayer.py.
import json, sys, time
record = json.loads({record!r})
question = next((word for word in sys.argv[1:] if word.startswith("--query")), "")
if question.split("=")[0] in record.get("hangs", ()):
    time.sleep(60)
if question.startswith("--query-gpu="):
    fields = question.partition("=")[2].split(",")
    for field in fields:
        if record["gpus"] and field not in record["gpus"][0]:
            print(f'Field "{{field}}" is not a valid field to query.\\n')
            sys.exit(2)
    print(record.get("besides", ""), end="")
    for gpu in record["gpus"]:
        print(", ".join(gpu[field] for field in fields))
elif question:
    print(record.get("apps", ""), end="")
else:
    print(record.get("listing" if "-L" in sys.argv else "table", ""), end="")
"""


def recorded(name: str) -> dict[str, Any]:
    """The record of one machine."""
    record: dict[str, Any] = yaml.safe_load((RECORDED / f"{name}.yaml").read_text(encoding="utf-8"))
    return record


def gpu(number: int, **values: str) -> dict[str, str]:
    """One entry of `gpus`, made up: an idle A100 but for `values` (a dot in a field is a double underscore here)."""
    return {
        "index": str(number),
        "uuid": f"GPU-{number:08x}-0000-4000-8000-000000000000",
        "name": "NVIDIA A100-PCIE-40GB",
        "driver_version": "510.47.03",
        "memory.total": "40536",
        "memory.used": "3",
        "utilization.gpu": "0",
        "compute_mode": "Default",
        "mig.mode.current": "Disabled",
        "compute_cap": "8.0",
        **{name.replace("__", "."): value for name, value in values.items()},
    }


def install(record: dict[str, Any], folder: Path) -> Path:
    """Make the program in `folder`; returns the folder, for a PATH."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "nvidia-smi"
    program.write_text(_PROGRAM.format(python=sys.executable, record=json.dumps(record)), encoding="utf-8")
    program.chmod(0o755)
    return folder


_PROVISION = """\
import sys
from scupi_provision.transport import local
local._PATH = sys.argv.pop(1)
from scupi_provision.cli.main import main
main()
"""


def provision(place: Path, record: dict[str, Any] | None, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `provision` in `place`, whose home is below it, with this nvidia-smi on the PATH that a login here has."""
    path = f"{install(record, place / 'bin')}:/usr/bin:/bin" if record else "/usr/bin:/bin"
    return subprocess.run(
        [sys.executable, "-c", _PROVISION, path, *arguments],
        cwd=place,
        env={
            "HOME": str(place / "home"), "PATH": "/usr/bin:/bin", "SHELL": "/bin/bash", "NO_COLOR": "1",
            "COLUMNS": "160", "PYTHONPATH": str(Path(__file__).parents[2]),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )  # fmt: skip
