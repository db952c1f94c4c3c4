"""`conda_env`: an environment of conda. What is in it is read from names of files; conda runs only to change it."""

from __future__ import annotations

import posixpath
from contextlib import suppress
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, PlainValidator, field_validator, model_validator

from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules import store
from scupi_provision.modules.conda_file import parse_environment
from scupi_provision.modules.conda_lock import parse_lock
from scupi_provision.modules.conda_place import Place, find_place
from scupi_provision.modules.conda_request import Request, check_terms, with_python
from scupi_provision.modules.conda_run import CondaRun, plan_conda
from scupi_provision.modules.contract import (
    Boolean,
    ControllerFile,
    Field,
    Module,
    ModuleArgs,
    PathText,
    Result,
    Text,
    Words,
)
from scupi_provision.modules.pip_run import PipRun, digest, plan_run
from scupi_provision.modules.requirements import installed, is_satisfied, parse
from scupi_provision.values import UnknownValueError


def _list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _file(value: Any) -> Any:
    if value is None or isinstance(value, ControllerFile):
        return value
    if isinstance(value, str):
        return ControllerFile(str(value), b"")  # the planner gives its content before it is planned
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

    @field_validator("packages")
    @classmethod
    def _packages(cls, packages: list[str]) -> list[str]:
        with_python(None, packages)
        return packages

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
        with_python(self.python, [])
        return self


def plan(args: Args, host: HostView) -> Result:
    """Plan runs of conda and pip for what is missing, and the link to the environment."""
    request = _request(args)
    check_terms(request.channels, request.locked, accepted=args.accept_anaconda_tos)
    conda = host.path(args.conda)
    place = find_place(host, args.path, request, exact=args.exact)
    if args.state == "absent":
        return _absent(host, place)
    values = {
        "path": place.path,
        "prefix": place.prefix,
        "python": posixpath.join(place.path, "bin/python"),
        "before": [package.full_name for package in (place.installed or {}).values()],
        "changes": [],
    }
    changed = _conda(args, host, conda, place, request)
    changed = _pip(host, place, request) or changed
    if not place.theirs:
        changed = _link(host, place) or changed
    return Result(changed, values)


def _request(args: Args) -> Request:
    channels = [channel for channel in args.channels if channel != "nodefaults"]
    if args.lock is not None:
        return Request((), parse_lock(args.lock.content, args.lock.path), tuple(args.pip), ())
    packages, pip = args.packages, args.pip
    if args.environment is not None:
        file = parse_environment(args.environment.content, args.environment.path)
        packages, pip = list(file.packages), [*file.pip, *args.pip]
        if file.channels and "channels" not in args.model_fields_set:
            channels = [channel for channel in file.channels if channel != "nodefaults"]
    try:
        specs = with_python(args.python, packages)
        for text in pip:
            parse(text)
    except ValueError as error:
        raise TaskFailedError(str(error)) from None
    if not specs and args.state == "present":
        raise TaskFailedError("nothing is asked for: give python, packages, environment or lock")
    return Request(specs, (), tuple(pip), tuple(channels))


def _absent(host: HostView, place: Place) -> Result:
    if place.theirs:
        raise TaskFailedError(f"{place.path} was not made by provision: remove it yourself (conda env remove -p …)")
    changed = host.remove(place.path)
    changed = host.remove(place.prefix) or changed
    return Result(changed, {"path": place.path})


def _conda(args: Args, host: HostView, conda: str, place: Place, request: Request) -> bool:
    """Plan the run of conda; whether one is needed."""
    missing = request.missing(place.installed) if place.installed is not None else _everything(request)
    remove = sorted(set(place.installed or {}) - place.recorded) if args.exact and place.recorded is not None else []
    if not missing and not remove:
        return False
    _require_conda(host, conda)
    settings = {}
    if args.cuda:
        settings["CONDA_OVERRIDE_CUDA"] = args.cuda
    if args.glibc:
        settings["CONDA_OVERRIDE_GLIBC"] = args.glibc
    if args.accept_anaconda_tos:
        settings["CONDA_PLUGINS_AUTO_ACCEPT_TOS"] = "yes"
    summary = f"make {place.path} with {_short(missing)}" if place.fresh else _change(missing, remove, place)
    call = CondaRun(
        conda,
        place.prefix,
        create=place.fresh,
        request=request if missing else None,
        summary=summary,
        stamp=f"conda-{digest(request.identity())}",
        remove=remove,
        bases=args.channel_urls,
        settings=settings,
        state=[package.full_name for package in (place.installed or {}).values()],
        ok=store.manifest(place.inputs).decode(),
    )
    plan_conda(host, call)
    return True


def _everything(request: Request) -> list[str]:
    return [spec.text for spec in request.specs] or [one.package.full_name for one in request.locked]


def _short(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= 8 else f"{', '.join(names[:8])} and {len(names) - 8} more"


def _change(missing: list[str], remove: list[str], place: Place) -> str:
    parts = [f"install {_short(missing)} into"] if missing else []
    parts += [f"remove {_short(remove)} from"] if remove else []
    return f"{' and '.join(parts)} {place.path}"


def _pip(host: HostView, place: Place, request: Request) -> bool:
    if not request.pip:
        return False
    have = None
    if not place.fresh:
        try:
            have = installed(host.names(f"{place.prefix}/lib/python*/site-packages/*.dist-info"))
        except UnknownValueError:
            have = None
    missing = [text for text in request.pip if have is None or not is_satisfied(parse(text), have)]
    if missing:
        state = sorted(f"{name} {version}" for name, version in have.versions.items()) if have else []
        plan_run(host, PipRun(place.prefix, ["install", *missing], state, f"install {_short(missing)}"))
    return bool(missing)


def _link(host: HostView, place: Place) -> bool:
    with suppress(UnknownValueError):  # below the conda that this plan installs: its program makes `envs`
        host.mkdir(posixpath.dirname(place.path))
    return host.link(place.path, place.prefix)


def _require_conda(host: HostView, conda: str) -> None:
    programs = [f"{conda}/bin/conda", f"{conda}/bin/micromamba"]
    try:
        host.want(entries=programs)
        there = any(host.entry(program).exists for program in programs)
    except UnknownValueError:
        return  # this plan installs it
    if not there:
        raise TaskFailedError(f"there is no conda in {conda}: install it first (module conda_install, role conda)")


MODULE = Module(
    "conda_env", Args, plan, aliases=("scupi.provision.conda_env",), files={"environment": "files", "lock": "files"}
)
