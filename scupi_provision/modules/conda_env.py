"""`conda_env`: an environment of conda. What is in it is read from names of files; conda runs only to change it."""

from __future__ import annotations

import posixpath
from contextlib import suppress
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, PlainValidator, field_validator, model_validator

from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules.conda.channels import check_terms
from scupi_provision.modules.conda.locked import bring, declare, locked_as
from scupi_provision.modules.conda.pip_part import plan_pip
from scupi_provision.modules.conda.place import Place, find_place
from scupi_provision.modules.conda.request import Request, file_request, locked_request, plain_request, with_python
from scupi_provision.modules.conda.run import CondaRun, changes, plan_conda
from scupi_provision.modules.contract import (
    Boolean,
    ControllerFile,
    Field,
    Module,
    ModuleArgs,
    PathText,
    Result,
    Text,
    UnknownValue,
    Words,
)
from scupi_provision.modules.python.locked import LockedPip, plan_locked
from scupi_provision.modules.python.places import Places
from scupi_provision.modules.python.requirements import parse
from scupi_provision.shell.replies import RunReply
from scupi_provision.values import UnknownValueError


def _list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _file(value: Any) -> Any:
    if value is None or isinstance(value, ControllerFile):
        return value
    if isinstance(value, str):
        return ControllerFile(str(value), b"")  # the planner gives its content before anything is planned
    raise ValueError("a file of this computer is needed, not a folder")


Texts = Annotated[list[Text], BeforeValidator(_list)]
File = Annotated[ControllerFile | None, PlainValidator(_file)]


class Args(ModuleArgs):
    """Have a conda environment at `path` with these packages. Packages that you add by hand stay.

    It is made in `~/.provision/store` and appears, whole, by one link switch; later changes are made in place. An
    environment of your own at `path` is used in place and never replaced. Registers `path`, `python` (the interpreter),
    `prefix` (where it really is), `before` (what was installed) and `changes`.
    """

    path: PathText = Field(description="Where it appears; below conda's folder `envs` it also has a name.")
    conda: PathText = Field("~/miniforge3", description="The prefix of conda; install it first (`conda_install`).")
    python: Text | None = Field(None, description="The version of Python: 3.11, or a condition such as >=3.10,<3.13.")
    packages: Texts = Field(default=[], description="Packages as conda names them: [numpy>=1.26, pytorch=2.6=*cuda*].")
    pip: Texts = Field(default=[], description="Packages of pip, installed after conda's.")
    index_url: Places = Field(default=[], description="Where pip looks, as for the module pip.")
    only_binary: Boolean = Field(default=False, description="Let pip take wheels only; never build on the host.")
    channels: Words = Field(default=["conda-forge"], description="Channels, the first preferred; none other is asked.")
    channel_urls: Words = Field(default=[], description="Where channels live by name; tried in order.")
    environment: File = Field(None, description="An environment.yml of this computer, in place of packages.")
    lock: File = Field(None, description="A list from `conda list --explicit --sha256`, in place of packages.")
    cuda: Text = Field("", description="The CUDA that is solved for, such as 12.2: of the node that will compute.")
    glibc: Text = Field("", description="The C library that is solved for, such as 2.17: of the oldest node.")
    exact: Boolean = Field(default=False, description="Remove conda packages that are neither asked for nor needed.")
    accept_anaconda_tos: Boolean = Field(
        default=False, description="You accept Anaconda's terms of service; its channel `defaults` asks for that."
    )
    state: Literal["present", "absent"] = Field("present", description="absent removes an environment that we made.")

    @field_validator("pip")
    @classmethod
    def _requirements(cls, requirements: list[str]) -> list[str]:
        for text in requirements:
            parse(text)
        return requirements

    @model_validator(mode="after")
    def _fitting(self) -> Args:
        given = [name for name in ("packages", "environment", "lock") if getattr(self, name)]
        if len(given) > 1:
            raise ValueError(f"give one of {' and '.join(given)}")
        if self.lock and self.python:
            raise ValueError("a lock says which python it is")
        if not with_python(self.python, self.packages) and not given and self.state == "present":
            raise ValueError("nothing is asked for: give python, packages, environment or lock")
        return self


def plan(args: Args, host: HostView) -> Result:
    """Plan runs of conda and pip for what is missing, and the link to the environment."""
    request = _request(args)
    if not args.accept_anaconda_tos:
        check_terms(request.sources)
    request = locked_as(host, host.path(args.path), request)
    place = find_place(host, args.path, request, exact=args.exact)
    if args.state == "absent":
        return _absent(host, place)
    changed = _packages(args, host, place, request)
    if host.lock is None:
        declare(host, place)
    values = {
        "path": place.path,
        "prefix": place.prefix,
        "python": posixpath.join(place.path, "bin/python"),
        "before": [package.full_name for package in (place.installed or {}).values()],
        "changes": UnknownValue(f"what conda changes in {place.path}") if changed else [],
    }
    if host.lock is None:
        changed = plan_pip(host, place, request.pip, _pip_options(args), tuple(args.index_url)) or changed
    elif request.pip:
        changed = plan_locked(host, LockedPip(place.path, place.prefix, request.pip)) or changed
    if not place.theirs:
        changed = _link(host, place) or changed
    return Result(changed, values)


def finish(_args: Args, planned: Result, runs: tuple[RunReply, ...]) -> Result:
    """Register what conda has changed."""
    return replace(planned, values={**planned.values, "changes": changes(runs)}) if runs else planned


def _request(args: Args) -> Request:
    if args.lock is not None:
        return locked_request(args.lock, args.pip)
    if args.environment is not None:
        channels = args.channels if "channels" in args.model_fields_set else []
        request = file_request(args.environment, args.python, args.pip, channels)
        return request if request.channels else replace(request, channels=tuple(args.channels))
    return plain_request(with_python(args.python, args.packages), args.pip, args.channels)


def _pip_options(args: Args) -> list[str]:
    return ["--only-binary", ":all:"] if args.only_binary else []


def _absent(host: HostView, place: Place) -> Result:
    if place.theirs:
        raise TaskFailedError(f"{place.path} was not made by provision: remove it yourself (conda env remove -p …)")
    changed = host.remove(place.path)
    changed = host.remove(place.prefix) or changed
    return Result(changed, {"path": place.path})


def _packages(args: Args, host: HostView, place: Place, request: Request) -> bool:
    """Plan the run of conda; whether one is needed."""
    missing = request.missing(place.installed or {})
    extra = set(place.installed or {}) - place.recorded if args.exact and place.recorded is not None else set()
    if not missing and not extra:
        return False
    conda = host.path(args.conda)
    _require_conda(host, conda)
    settings = {"CONDA_OVERRIDE_CUDA": args.cuda, "CONDA_OVERRIDE_GLIBC": args.glibc}
    if args.accept_anaconda_tos:
        settings["CONDA_PLUGINS_AUTO_ACCEPT_TOS"] = "yes"
    given = {name: value for name, value in settings.items() if value}
    brought = bring(host, host.path(args.path), place)
    bases = [f"file://{brought}"] if brought else args.channel_urls
    plan_conda(host, CondaRun(conda, place, request, missing, sorted(extra), bases, given))
    if brought:
        host.remove(brought)
    return True


def _require_conda(host: HostView, conda: str) -> None:
    programs = [f"{conda}/bin/conda", f"{conda}/bin/micromamba"]
    try:
        host.want(entries=programs)
        there = any(host.entry(program).exists for program in programs)
    except UnknownValueError:
        return  # this plan installs it
    if not there:
        raise TaskFailedError(f"there is no conda in {conda}: install it first (module conda_install, role conda)")


def _link(host: HostView, place: Place) -> bool:
    with suppress(UnknownValueError):  # below the conda that this plan installs: its program makes `envs`
        host.mkdir(posixpath.dirname(place.path))
    return host.link(place.path, place.prefix)


MODULE = Module(
    "conda_env",
    Args,
    plan,
    finish,
    aliases=("scupi.provision.conda_env",),
    files={"environment": "files", "lock": "files"},
)
