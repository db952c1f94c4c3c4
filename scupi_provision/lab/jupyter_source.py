"""JupyterLab's wheels for the mirror: fetched only when somebody wants Jupyter in the lab."""

from __future__ import annotations

import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Callable
from pathlib import Path

from scupi_provision.errors import ProvisionError
from scupi_provision.lab.layout import JUPYTER_PATH, lab_layout
from scupi_provision.lab.sources import serve_index
from scupi_provision.lab.state import Lab
from scupi_provision.lab.wheelhouse import download_wheels

_REQUIREMENTS = ("jupyterlab", "notebook", "ipykernel")


def jupyter_index(lab: Lab) -> str:
    """Where the mirror of this lab has Jupyter, once `serve_jupyter` has put it there."""
    return f"http://{lab.admin_address}:{lab.mirror_port}/{JUPYTER_PATH}"


def serve_jupyter(lab: Lab, progress: Callable[[str], None]) -> None:
    """Put JupyterLab and what it needs into the mirror, downloaded by pip as it is configured here the first time.

    Raises:
        ProvisionError: pip cannot get it.
    """
    layout = lab_layout(lab.directory)
    folder = layout.cache / f"jupyter-{sys.implementation.cache_tag}-{sysconfig.get_platform()}"
    if not folder.is_dir():
        progress("fetching JupyterLab and what it needs: pip as it is configured here")
        _download(layout.cache, folder)
    serve_index(layout.mirror / JUPYTER_PATH, folder)


def _download(cache: Path, folder: Path) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".wheels-", dir=cache) as workspace:
        wheels = Path(workspace, "wheels")
        ran = download_wheels(_REQUIREMENTS, wheels)
        if ran.status != 0:
            raise ProvisionError(
                "the lab's mirror needs JupyterLab, and pip cannot get it",
                detail=ran.tail,
                hint=f"check `{sys.executable} -m pip download {' '.join(_REQUIREMENTS)}`",
            )
        shutil.rmtree(folder, ignore_errors=True)
        wheels.rename(folder)
