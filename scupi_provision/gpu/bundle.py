"""The probe as one file that any python runs: what travels to a node on which nothing of ours needs to be."""

from __future__ import annotations

import io
import zipfile
from functools import lru_cache
from importlib import resources

_START = "import sys\nfrom gpu_probe.program import main\nsys.exit(main())\n"
_DATE = (1980, 1, 1, 0, 0, 0)
"""The earliest that a zip file can say: the same probe is the same bytes."""


@lru_cache
def probe_archive() -> bytes:
    """A zip file with the package `gpu_probe`, to be run as `python FILE`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("__main__.py", _DATE), _START)
        for file in sorted(resources.files(__package__).joinpath("probe").iterdir(), key=lambda file: file.name):
            if file.name.endswith(".py") and file.name != "__main__.py":
                archive.writestr(zipfile.ZipInfo(f"gpu_probe/{file.name}", _DATE), file.read_bytes())
    return buffer.getvalue()
