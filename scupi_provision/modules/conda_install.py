"""`conda_install`: conda in the home, by an installer whose content is known, whole or not at all."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import model_validator

from scupi_provision.host.lock import Download
from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules import store
from scupi_provision.modules.conda.micromamba import MICROMAMBA, plan_micromamba
from scupi_provision.modules.conda.specs import installed_packages
from scupi_provision.modules.contract import (
    AliasChoices,
    Boolean,
    Field,
    Module,
    ModuleArgs,
    PathText,
    Result,
    Text,
)
from scupi_provision.modules.downloads import CACHE, Sha256, Urls, file_name
from scupi_provision.shell.actions import Run
from scupi_provision.shell.entry import Kind
from scupi_provision.shell.scripts import script

_BUILD = "~/.provision/build"
_MARK = ".provision/conda.json"
"""Below the prefix: says that we installed it, and that the installer came to its end."""
_PROGRAM = "bin/conda"
_HISTORY = "conda-meta/history"


class Args(ModuleArgs):
    """Install conda at `path`, unless one is there. No shell file is touched: `shell_init` makes `conda` known.

    A working conda that you installed there yourself is used as it is. Registers `prefix`, `conda` (the program),
    `version` (of conda) and `distribution`.
    """

    path: PathText = Field(
        description="Where it lives, without spaces; it cannot be moved later.",
        validation_alias=AliasChoices("path", "prefix"),
    )
    distribution: Literal["miniforge", "miniconda", "micromamba"] = Field(
        "miniforge", description="What is installed; micromamba is one program without a Python."
    )
    version: Text = Field(description="As in the installer's name: 26.3.2-3, py312_25.7.0-2.")
    urls: Urls = Field(
        description="Where the installer is; tried in order.", validation_alias=AliasChoices("urls", "url")
    )
    sha256: Sha256 = Field(description="What the installer must hash to: 64 hex digits.")
    glibc: Text = Field("", description="The oldest C library that will run it, when that is not this host's.")
    update: Boolean = Field(default=False, description="Bring a conda of another version to this one.")
    accept_anaconda_tos: Boolean = Field(
        default=False, description="You accept Anaconda's terms of service; Miniconda's installer asks for that."
    )

    @model_validator(mode="after")
    def _fitting(self) -> Args:
        _check_name(self.path)
        if self.distribution == "miniconda" and not self.accept_anaconda_tos:
            raise ValueError(
                "Miniconda comes under Anaconda's terms of service (https://www.anaconda.com/legal), which are yours to"
                " accept: say accept_anaconda_tos: true (for the role: conda_accept_anaconda_tos), or take miniforge,"
                " which needs no consent"
            )
        if self.distribution != "micromamba" and not all(file_name(url).endswith(".sh") for url in self.urls):
            raise ValueError("an installer's name ends in .sh, else it refuses to run")
        return self


def plan(args: Args, host: HostView) -> Result:
    """Plan the installation, unless a whole conda is there."""
    host.declare(Download(tuple(args.urls), args.sha256))
    prefix = host.path(args.path)
    try:
        _check_name(prefix)
    except ValueError as error:
        raise TaskFailedError(f"{prefix}: {error}") from None
    wanted = _conda_version(args.version)
    if args.distribution == "micromamba":
        values = {"prefix": prefix, "conda": f"{prefix}/{MICROMAMBA}", "distribution": args.distribution}
        changed = plan_micromamba(host, prefix, args.urls, args.sha256, update=args.update)
        return Result(changed, {**values, "version": wanted})
    there = _look(host, prefix)
    values = {"prefix": prefix, "conda": f"{prefix}/{_PROGRAM}", "distribution": args.distribution}
    if there.works and (not args.update or there.version in {"", wanted}):
        return Result(values={**values, "version": there.version})
    if not there.works:
        _check_place(host, prefix, there)
    _run(args, host, prefix, there)
    return Result(changed=True, values={**values, "version": wanted})


def _check_name(path: str) -> None:
    if re.search(r"\s", path):
        raise ValueError("conda cannot be installed into a folder with a space in its name")


@dataclass(frozen=True)
class _Found:
    """What is at the prefix.

    Attributes:
        works: Whether it is a conda to be used.
        version: Of that conda, as far as names of files tell.
        ours: Whether we installed it, to the end.
        claim: The file that says that we have begun to install it.
        claimed: Whether that is there.
    """

    works: bool
    version: str
    ours: bool
    claim: str
    claimed: bool


def _look(host: HostView, prefix: str) -> _Found:
    mark, program, history = (f"{prefix}/{name}" for name in (_MARK, _PROGRAM, _HISTORY))
    claim = host.path(f"{_BUILD}/{store.key('conda', {'prefix': prefix})}/claim")
    records = f"{prefix}/conda-meta/conda-*.json"
    host.want(entries=[prefix, mark, program, history, claim], names=[records])
    whole = host.entry(program, follow=True).kind is Kind.FILE and host.entry(history).kind is Kind.FILE
    ours, claimed = host.entry(mark).kind is Kind.FILE, host.entry(claim).exists
    conda = installed_packages(host.names(records)).get("conda")
    return _Found(whole and (ours or not claimed), conda.version if conda else "", ours, claim, claimed)


def _conda_version(version: str) -> str:
    """The version of conda itself, in that of an installer: 25.7.0 for py312_25.7.0-2."""
    return re.sub(r"^py[0-9]+_|-[0-9]+$", "", version)


def _check_place(host: HostView, prefix: str, there: _Found) -> None:
    """Fail when something is in the place that is neither conda nor what we left half made."""
    now = host.entry(prefix)
    if not now.exists or there.claimed:
        return  # the program looks once more whether what is there is really what we left
    if there.ours:
        raise TaskFailedError(
            f"{prefix} was installed by provision, but bin/conda is gone from it. Environments in it may still be"
            f" yours: move it away (mv {prefix} {prefix}.old) and apply again"
        )
    if now.kind is Kind.DIRECTORY and not host.names(f"{prefix}/*"):
        return  # the tutorial's `mkdir -p`: the program removes it when it is really empty
    raise TaskFailedError(
        f"{prefix} is there and is no working conda (bin/conda and conda-meta/history are not both there): an"
        f" installation that was cut short, or something else of yours. Move it away (mv {prefix} {prefix}.old), or"
        " choose another place"
    )


def _run(args: Args, host: HostView, prefix: str, there: _Found) -> None:
    archive = host.path(f"{CACHE}/{args.sha256[:16]}-{file_name(args.urls[0])}")
    host.want(entries=[CACHE, archive])
    host.mkdir(CACHE, 0o700)
    host.fetch(args.urls, archive, args.sha256, 0o600)
    inputs: dict[str, Any] = {
        "format": 1,
        "distribution": args.distribution,
        "version": args.version,
        "sha256": args.sha256,
    }
    mark, program, update = f"{prefix}/{_MARK}", f"{prefix}/{_PROGRAM}", there.works
    command = script(
        "tree.sh",
        "conda_install.sh",
        installer=archive,
        prefix=prefix,
        update="yes" if update else "",
        glibc=args.glibc or host.facts.glibc or "",
        claim=there.claim,
        program=program,
        mark=mark,
        ok=store.manifest(inputs).decode(),
    )
    run = Run(
        command,
        phase="conda",
        durable_key=store.key("conda", {**inputs, "prefix": prefix, "update": update}),
        creates=(mark, program, f"{prefix}/{_HISTORY}"),
        writes=(prefix, posixpath.dirname(there.claim), host.path("~/.conda")),  # the installer registers itself there
        uses=(archive,),
    )
    host.run(run, f"{'update' if update else 'install'} {args.distribution} {args.version} in {prefix}")


MODULE = Module("conda_install", Args, plan, aliases=("scupi.provision.conda_install",))
