"""Where the lab keeps its things. Every path of the lab is named here and nowhere else."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scupi_provision.errors import InputError

ADMIN = "admin1"
GPU = "gpu2"
NODES = (ADMIN, GPU)

ACCOUNT = "2021141520001"
"""The lab's only account: a student number of the cluster's form, quoted in YAML because it is not a number."""

GIT_PATH = "pub/software/scm/git"
"""Where the kernel's servers keep git's tarballs."""

PYTHON_PATH = "ftp/python"
"""Where python.org keeps CPython's tarballs, in a folder for each version."""

TORCH_PATH = "whl"
"""Where the official torch index keeps its variants."""

WHEELS_PATH = f"{TORCH_PATH}/cpu"
"""Where it keeps the CPU build."""

CONDA_PATH = "conda"
"""Where the names of conda channels live."""

MINIFORGE_PATH = "conda-forge/miniforge/releases/download"
"""Where GitHub keeps Miniforge's installers, in a folder for each release."""

JUPYTER_PATH = "jupyter"
"""Where an index for Jupyter is, once somebody has asked for it."""

SIMPLE_PATH = "simple"
"""Where an index for everything that pip is asked for is, as on PyPI."""


@dataclass(frozen=True)
class LabLayout:
    """The lab's directory (one lab) and its cache (downloads, shared by all labs of a person)."""

    directory: Path
    cache: Path

    @property
    def home(self) -> Path:
        """The one scratch home that both nodes share."""
        return self.directory / "home"

    @property
    def keys(self) -> Path:
        """Host keys, the account's key and known_hosts."""
        return self.directory / "keys"

    @property
    def client_key(self) -> Path:
        """The account's private key."""
        return self.keys / "client_ed25519"

    @property
    def known_hosts(self) -> Path:
        """Both nodes' host keys under the names by which a client dials them."""
        return self.keys / "known_hosts"

    @property
    def mirror(self) -> Path:
        """The document root of the mirror."""
        return self.directory / "mirror"

    @property
    def state(self) -> Path:
        """What the running daemon says about itself."""
        return self.directory / "state.json"

    @property
    def sources(self) -> Path:
        """What the mirror serves, and where it came from."""
        return self.directory / "sources.json"

    @property
    def daemon_lock(self) -> Path:
        """Locked by the daemon for as long as it lives."""
        return self.directory / "daemon.lock"

    @property
    def up_lock(self) -> Path:
        """Locked by whoever starts or stops the lab."""
        return self.directory / "up.lock"

    @property
    def log(self) -> Path:
        """The daemon's log."""
        return self.directory / "log"

    @property
    def inventory(self) -> Path:
        """The inventory that leads to the lab."""
        return self.directory / "inventory.yaml"

    def bin(self, node: str) -> Path:
        """The directory of programs that only `node` has."""
        return self.directory / "bin" / node

    def host_key(self, node: str) -> Path:
        """The private host key of `node`."""
        return self.keys / f"{node}_host_ed25519"

    def search_path(self, node: str) -> str:
        """PATH on `node`: the login node sees the machine's programs, the GPU node only those in its farm."""
        own = str(self.bin(node))
        return f"{own}:/usr/local/bin:/usr/bin:/bin" if node == ADMIN else own


def lab_layout(directory: Path | None = None, environ: Mapping[str, str] | None = None) -> LabLayout:
    """The layout of the lab in `directory`, or of the person's default lab.

    Raises:
        InputError: The directory cannot stand in a PATH.
    """
    variables = os.environ if environ is None else environ
    if directory is None:
        directory = _place(variables, "PROVISION_LAB_DIR", "XDG_STATE_HOME", ".local/state")
    cache = _place(variables, "PROVISION_LAB_CACHE", "XDG_CACHE_HOME", ".cache")
    directory = directory.expanduser().absolute()
    if ":" in str(directory) or "\n" in str(directory):
        raise InputError(
            f"the lab cannot live in {str(directory)!r}",
            detail="A directory in PATH may contain neither a colon nor a line break.",
            hint="set PROVISION_LAB_DIR to another directory",
        )
    return LabLayout(directory, cache.expanduser().absolute())


def _place(variables: Mapping[str, str], own: str, xdg: str, fallback: str) -> Path:
    if variables.get(own):
        return Path(variables[own])
    base = variables.get(xdg, "")
    # The XDG specification: a relative path there is invalid and must be ignored.
    root = Path(base) if base.startswith("/") else Path.home() / fallback
    return root / "scupi-provision" / "lab"
