"""`pip`: packages in a virtual environment. Whether they are there is read from file names; pip runs only to change."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, field_validator, model_validator

from scupi_provision.host.lock import Environment
from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import Boolean, Field, Module, ModuleArgs, PathText, Result, Text
from scupi_provision.modules.python.from_file import FromFile, plan_file, required_by
from scupi_provision.modules.python.installed import installed_in, missing_of, state_of
from scupi_provision.modules.python.locked import LockedPip, plan_locked
from scupi_provision.modules.python.places import Places
from scupi_provision.modules.python.requirements import is_satisfied, parse, split_names
from scupi_provision.modules.python.run import PipRun, plan_run
from scupi_provision.modules.words import split_words

_CONFUSION = "a package of the same name on the second index could be taken instead (dependency confusion)"
_ENVIRONMENT_ONLY = "packages go into an environment, never beside those of the system"
_MADE_BEFORE = "an environment is made by `venv` or `conda_env`, which know how to make it whole"
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
        description="A requirements file on the host. It is installed when its content is new to the environment (a"
        " stamp remembers it by hash) or when a package that it names is not there any more.",
    )
    require_hashes: Boolean = Field(
        default=False, description="Refuse a requirements file in which a package has no hash; pip compares them."
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

    executable: Text | None = Field(None, description=f"Refused: {_ENVIRONMENT_ONLY}.")
    break_system_packages: Boolean = Field(default=False, description=f"Refused: {_ENVIRONMENT_ONLY}.")
    virtualenv_command: Text | None = Field(None, description=f"Refused: {_MADE_BEFORE}.")
    virtualenv_python: Text | None = Field(None, description=f"Refused: {_MADE_BEFORE}.")
    virtualenv_site_packages: Boolean = Field(default=False, description=f"Refused: {_MADE_BEFORE}.")
    chdir: PathText | None = Field(None, description="The folder below which a relative `requirements` is.")
    umask: Text | None = Field(None, description="Refused: what is in an environment has the account's own umask.")

    @field_validator("executable", "break_system_packages")
    @classmethod
    def _in_an_environment(cls, value: object) -> object:
        if value:
            raise ValueError(f"is refused: {_ENVIRONMENT_ONLY}; name it by virtualenv")
        return value

    @field_validator("virtualenv_command", "virtualenv_python", "virtualenv_site_packages")
    @classmethod
    def _is_made(cls, value: object) -> object:
        if value:
            raise ValueError(f"is refused: {_MADE_BEFORE}")
        return value

    @field_validator("umask")
    @classmethod
    def _own_umask(cls, value: object) -> object:
        if value:
            raise ValueError("is refused: what is in an environment has the account's own umask")
        return value

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
        if self.require_hashes and self.requirements is None:
            raise ValueError("require_hashes goes with requirements")
        if self.requirements is not None and self.state == "absent":
            raise ValueError("state: absent needs names")
        for text in self.name:
            parse(text)
        return self


def plan(args: Args, host: HostView) -> Result:
    """Plan a run of pip when something is missing, too old, or there although it shall not be."""
    if args.chdir is not None and args.requirements is not None and not args.requirements.startswith(("/", "~")):
        args = args.model_copy(update={"requirements": f"{args.chdir}/{args.requirements}"})
    environment = host.resolve(args.virtualenv)
    wanted = [f"{args.name[0]}=={args.version}"] if args.version else list(args.name)
    values = {"name": wanted, "virtualenv": host.path(args.virtualenv), "requirements": args.requirements}
    options = _options(args)
    if host.lock is not None and args.state != "absent":
        return Result(_locked(args, host, environment, wanted), values)
    host.declare(Environment(host.path(args.virtualenv), environment))
    if args.requirements is not None:
        source = FromFile(
            args.requirements, tuple(options), tuple(args.index_url), args.state == "latest", args.require_hashes
        )
        return Result(plan_file(host, environment, source), values, unprovable=args.state == "latest")
    have = installed_in(host, environment)
    if args.state == "absent":
        gone = [parse(text).name for text in wanted if have is None or is_satisfied(_any(text), have)]
        if gone:
            arguments = ["uninstall", "--yes", *gone]
            plan_run(
                host, PipRun(environment, arguments, state_of(have), f"remove {', '.join(gone)}", tuple(args.index_url))
            )
        return Result(bool(gone), values)
    missing = wanted if args.state == "latest" else missing_of(host, wanted, have)
    if missing:
        upgrade = ["--upgrade"] if args.state == "latest" else []
        arguments = ["install", *options, *upgrade, *missing]
        plan_run(
            host, PipRun(environment, arguments, state_of(have), f"install {', '.join(missing)}", tuple(args.index_url))
        )
    return Result(bool(missing), values, unprovable=args.state == "latest")


def _locked(args: Args, host: HostView, environment: str, wanted: list[str]) -> bool:
    if args.requirements is not None:
        wanted = list(required_by(host, host.resolve(args.requirements)))
    return plan_locked(host, LockedPip(host.path(args.virtualenv), environment, wanted))


def _any(text: str) -> Any:
    return parse(parse(text).name)


def _options(args: Args) -> list[str]:
    extra = split_words(args.extra_args or "", "extra_args")
    for argument in extra:
        reason = _REFUSED.get(argument.partition("=")[0])
        if reason:
            raise TaskFailedError(f"{argument} is refused: {reason}")
    hashes = ["--require-hashes"] if args.require_hashes else []
    return [*(["--only-binary", ":all:"] if args.only_binary else []), *hashes, *extra]


MODULE = Module("pip", Args, plan, aliases=("ansible.builtin.pip",))
