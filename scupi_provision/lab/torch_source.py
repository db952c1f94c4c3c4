"""Real wheels of torch (the CPU build) and of everything it needs, for the interpreter under ours."""

from __future__ import annotations

import json
import re
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scupi_provision.errors import ProvisionError
from scupi_provision.lab.state import write_atomically
from scupi_provision.lab.wheelhouse import download_wheels

TORCH_VERSION = "2.13.0"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"


@dataclass(frozen=True)
class TorchSource:
    """A folder of wheels in the lab's cache.

    Attributes:
        version: torch's, without the local part.
        wheels: The folder; torch and its dependencies, one wheel each.
        origin: Where they came from, in words for the report.
    """

    version: str
    wheels: Path
    origin: str


def torch_source(cache: Path, progress: Callable[[str], None]) -> TorchSource:
    """The wheels from `cache`, downloaded by pip first when they are not there.

    Raises:
        ProvisionError: pip gets the CPU build neither as it is configured nor from the official CPU index.
    """
    folder = cache / f"torch-{TORCH_VERSION}-{sys.implementation.cache_tag}-{sysconfig.get_platform()}"
    record = folder / "source.json"
    if record.exists():
        origin = json.loads(record.read_text(encoding="utf-8"))["origin"]
        return TorchSource(TORCH_VERSION, folder, origin)
    cache.mkdir(parents=True, exist_ok=True)
    attempts: list[str] = []
    for words, options in (
        ("pip as it is configured here", []),
        ("the official CPU index", ["--index-url", CPU_INDEX]),
    ):
        progress(f"fetching torch {TORCH_VERSION} (CPU build) and its dependencies: {words}")
        origin = f"torch {TORCH_VERSION}, CPU build, by {words}"
        if _download(cache, folder, options, origin, attempts):
            return TorchSource(TORCH_VERSION, folder, origin)
    raise ProvisionError(
        f"the lab's mirror needs torch {TORCH_VERSION} (the CPU build), and pip cannot get it",
        detail="\n".join(attempts),
        hint=f"check `{sys.executable} -m pip download {_requirement()}`",
    )


def _requirement() -> str:
    """The CPU build and no other.

    On Linux the plain version on the default index is a CUDA build with gigabytes of dependencies; only the local
    version `+cpu` says that it is not. On macOS there is one build, and it has no local version.
    """
    return f"torch=={TORCH_VERSION}" + ("" if sys.platform == "darwin" else "+cpu")


def _download(cache: Path, folder: Path, options: list[str], origin: str, attempts: list[str]) -> bool:
    with tempfile.TemporaryDirectory(prefix=".wheels-", dir=cache) as workspace:
        wheels = Path(workspace, "wheels")
        ran = download_wheels([_requirement()], wheels, options)
        if ran.status != 0:
            attempts.append(f"pip download {' '.join([*options, _requirement()])}:\n{ran.tail}")
            return False
        record = {"origin": origin, "wheels": sorted(path.name for path in wheels.glob("*.whl"))}
        write_atomically(wheels / "source.json", json.dumps(record, indent=2) + "\n")
        shutil.rmtree(folder, ignore_errors=True)
        wheels.rename(folder)
    return True


def project_name(wheel: str) -> str:
    """The normalised project name of a wheel's file name, as PEP 503 wants it in URLs."""
    return re.sub(r"[-_.]+", "-", wheel.split("-", maxsplit=1)[0]).lower()
