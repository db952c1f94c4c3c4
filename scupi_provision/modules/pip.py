"""`pip`: packages in a virtual environment. Whether they are there is read from file names; pip runs only to change."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, field_validator, model_validator

from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import Boolean, Field, Module, ModuleArgs, PathText, Result, Text
from scupi_provision.modules.pip_places import Places
from scupi_provision.modules.pip_run import PipRun, digest, plan_run
from scupi_provision.modules.requirements import Installed, applies, installed, is_satisfied, parse, split_names
from scupi_provision.modules.words import split_words
from scupi_provision.shell.entry import Kind
from scupi_provision.values import UnknownValueError

_CONFUSION = "a package of the same name on the second index could be taken instead (dependency confusion)"
_REFUSED = {
    "--extra-index-url": _CONFUSION,
    "--editable": "editable installs depend on a folder that may change",
    "-e": "editable installs depend on a folder that may change",
    "--user": "packages go into the virtual environment",
    "--target": "packages go into the virtual environment",
    "--prefix": "packages go into the virtual environment",
}


def _names(value: Any) -> Any:
    return split_names(value) if isinstance(value, str) else value


class Args(ModuleArgs):
    """Install packages into a virtual environment, or remove them. Other packages in it stay."""

    name: Annotated[list[Text], BeforeValidator(_names)] = Field(
        default=[], description="Requirements (PEP 508), such as torch==2.13.0; a list, or one text with commas."
    )
    requirements: PathText | None = Field(
        None,
        description="A requirements file on the host. A stamp in the environment remembers its content by hash; what"
        " was removed by hand since is not noticed.",
    )
    virtualenv: PathText = Field(
        description="The environment: a virtual one (`venv`), or the prefix of one of conda (`conda_env`)."
    )
    state: Literal["present", "latest", "absent", "forcereinstall"] = Field(
        "present", description="latest always runs pip; forcereinstall is not supported."
    )
    version: Text | None = Field(None, description="The exact version, when `name` is one name without one.")
    index_url: Places = Field(
        default=[],
        description="Package indexes, tried in order until one has everything; none is the account's pip configuration."
        " `find-links:WHERE` is a flat folder of files, alone or, after a blank, beside an index.",
    )
    extra_index_url: Text | None = Field(None, description=f"Refused: {_CONFUSION}.")
    extra_args: Text | None = Field(None, description="More arguments of `pip install`.")
    only_binary: Boolean = Field(default=False, description="Take wheels only; never build on the host.")
    editable: Boolean = Field(
        default=False, description="Refused: such an install depends on a folder that may change."
    )

    @field_validator("extra_index_url")
    @classmethod
    def _one_index(cls, value: str | None) -> str | None:
        if value:
            raise ValueError(f"is refused: {_CONFUSION}; a list of index_url is tried in order")
        return value

    @field_validator("editable")
    @classmethod
    def _fixed(cls, value: object) -> object:
        if value:
            raise ValueError("is refused: such an install depends on a folder that may change")
        return value

    @field_validator("state")
    @classmethod
    def _idempotent(cls, value: str) -> str:
        if value == "forcereinstall":
            raise ValueError("forcereinstall changes something in every run; use present, or remove the package first")
        return value

    @model_validator(mode="after")
    def _fitting(self) -> Args:
        if bool(self.name) == (self.requirements is not None):
            raise ValueError("give exactly one of name and requirements")
        if self.version is not None and len(self.name) != 1:
            raise ValueError("version goes with one name")
        if self.requirements is not None and self.state == "absent":
            raise ValueError("state: absent needs names")
        for text in self.name:
            parse(text)
        return self


def plan(args: Args, host: HostView) -> Result:
    """Plan a run of pip when something is missing, too old, or there although it shall not be."""
    environment = host.resolve(args.virtualenv)
    wanted = [f"{args.name[0]}=={args.version}"] if args.version else list(args.name)
    values = {"name": wanted, "virtualenv": host.path(args.virtualenv), "requirements": args.requirements}
    if args.requirements is not None:
        return _from_file(args, host, environment, values)
    have = _installed(host, environment)
    if args.state == "absent":
        gone = [parse(text).name for text in wanted if have is None or is_satisfied(_any(text), have)]
        if gone:
            arguments = ["uninstall", "--yes", *gone]
            plan_run(
                host, PipRun(environment, arguments, _state(have), f"remove {', '.join(gone)}", tuple(args.index_url))
            )
        return Result(bool(gone), values)
    missing = wanted if args.state == "latest" else _missing(host, wanted, have)
    if missing:
        upgrade = ["--upgrade"] if args.state == "latest" else []
        arguments = ["install", *_options(args), *upgrade, *missing]
        plan_run(
            host, PipRun(environment, arguments, _state(have), f"install {', '.join(missing)}", tuple(args.index_url))
        )
    return Result(bool(missing), values, unprovable=args.state == "latest")


def _any(text: str) -> Any:
    return parse(parse(text).name)


def _installed(host: HostView, environment: str) -> Installed | None:
    """What is installed; None when the environment is only made, or is changed, by this plan."""
    try:
        pattern = f"{environment}/lib/python*/site-packages/*.dist-info"
        marks = [f"{environment}/pyvenv.cfg", f"{environment}/conda-meta/history"]
        host.want(entries=marks, names=[pattern])
        if not any(host.entry(mark).kind is Kind.FILE for mark in marks):
            raise TaskFailedError(f"{environment} is not a Python environment; make it first (`venv`, `conda_env`)")
        return installed(host.names(pattern))
    except UnknownValueError:
        return None


def _missing(host: HostView, wanted: list[str], have: Installed | None) -> list[str]:
    if have is None:
        return wanted
    machine = host.facts.raw.get("architecture", "")
    parsed = [(text, parse(text)) for text in wanted]
    return [text for text, one in parsed if applies(one, have.python, machine) and not is_satisfied(one, have)]


def _from_file(args: Args, host: HostView, environment: str, values: dict[str, Any]) -> Result:
    path = host.resolve(args.requirements or "")
    entry = host.entry(path)
    if entry.kind is not Kind.FILE:
        raise TaskFailedError(f"{path} does not exist, or is not a file")
    if entry.digest is None:
        raise UnknownValueError(f"the content of {path}")
    have = _installed(host, environment)
    stamp = f"requirements-{digest([entry.digest, _options(args), args.index_url])}"
    try:
        done = host.entry(f"{environment}/.provision/{stamp}").exists
    except UnknownValueError:
        done = False
    if done and args.state != "latest":
        return Result(values=values)
    upgrade = ["--upgrade"] if args.state == "latest" else []
    arguments = ["install", *_options(args), *upgrade, "--requirement", path]
    places = tuple(args.index_url)
    call = PipRun(environment, arguments, _state(have), f"install what {path} names", places, stamp)
    plan_run(host, call)
    return Result(changed=True, values=values, unprovable=args.state == "latest")


def _options(args: Args) -> list[str]:
    extra = split_words(args.extra_args or "", "extra_args")
    for argument in extra:
        reason = _REFUSED.get(argument.partition("=")[0])
        if reason:
            raise TaskFailedError(f"{argument} is refused: {reason}")
    return [*(["--only-binary", ":all:"] if args.only_binary else []), *extra]


def _state(have: Installed | None) -> list[str]:
    return sorted(f"{name} {version}" for name, version in have.versions.items()) if have else []


MODULE = Module("pip", Args, plan, aliases=("ansible.builtin.pip",))
