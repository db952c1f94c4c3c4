"""`torch_build`: which build of PyTorch suits the nodes. Changes nothing; the choice is for the tasks that follow."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import model_validator

from scupi_provision.gpu import explain, installing
from scupi_provision.gpu.machine import AUTO, NEWEST, Machine, Wish, read_machine, read_wish
from scupi_provision.gpu.resolver import Resolution, keep, resolve
from scupi_provision.gpu.torch_builds import CONDA_FORGE, Build, torch_builds
from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import Boolean, Field, Module, ModuleArgs, PathText, Result, Text, Words
from scupi_provision.modules.python.interpreter import python_of
from scupi_provision.values import UnknownValueError

_REMEMBERED = re.compile(r"\d+(\.\d+)+\+[a-z0-9]+")
"""A build as the role torch writes it down."""


class Args(ModuleArgs):
    """Choose a build of torch for a driver, GPUs, C libraries and a Python: the newest, or the earlier choice.

    Registers `version`, `tag`, `build` (as torch itself calls it), `channel` (pip or conda-forge), `spec` (requirements
    for pip), `index_urls`, `only_binary`, `conda_packages`, `why`, `rejected` (lines: what is newer, and why not),
    `alternatives` and `notes`.
    """

    driver: Text = Field("", description="NVIDIA driver of the GPU node; empty is none.")
    cuda: Text = Field("", description="The CUDA that this driver itself supports, when it is known.")
    capabilities: Words = Field(default=[], description="Compute capabilities of all GPUs that may be used.")
    glibc: Words = Field(default=[], description="C libraries of all nodes; empty texts are hosts without glibc.")
    python: Text = Field("", description="Python of the environment, where `environment` does not tell it yet.")
    environment: PathText | None = Field(None, description="A venv or conda environment, whose Python is what counts.")
    remembered: PathText | None = Field(
        None, description="A file with the build that was chosen before (2.6.0+cu118): it stays as long as it suits."
    )
    version: Text = Field(
        AUTO, description="auto, newest, a version (2.6.0), a series (2.6), a build (2.6.0+cu118) or a range."
    )
    variant: Text = Field(AUTO, description="auto, cpu, conda-forge, or the tag of an index of PyTorch, such as cu118.")
    companions: Words = Field(default=[], description="More packages, such as torchvision, in versions that fit.")
    fallback: Literal["fail", "cpu", "conda-forge"] = Field(
        "fail", description="What is taken when no build with CUDA suits; by default the task fails with the reasons."
    )
    sources: Words = Field(default=[], description="Addresses below which the indexes are; PyTorch's own by default.")
    architecture: Text = Field("x86_64", description="ansible_facts.architecture; the table is that of x86_64.")
    system: Text = Field("Linux", description="ansible_facts.system; on Darwin builds have no tag.")
    unsure: Boolean = Field(default=False, description="Also take builds that the table is not sure of.")

    @model_validator(mode="after")
    def _understood(self) -> Args:
        _machine(self, self.python)
        wish = _wish(self)
        tags = torch_builds().tags()
        if wish.tag and wish.tag not in tags:
            raise ValueError(f"variant {wish.tag} is not known; it is auto or one of {', '.join(tags)}")
        return self


def _wish(args: Args) -> Wish:
    return read_wish(version=args.version, tag=args.variant, companions=args.companions, unsure=args.unsure)


def _machine(args: Args, python: str) -> Machine:
    return read_machine(
        driver=args.driver, cuda=args.cuda, capabilities=args.capabilities, glibc=args.glibc, python=python
    )


def plan(args: Args, host: HostView) -> Result:
    """The choice, or a failure that says why there is none."""
    wish, table = _wish(args), torch_builds()
    machine = _machine(args, _python(args, wish, host))
    found = resolve(machine, wish, table)
    earlier, cpu_allowed = _earlier(args, host), args.fallback == "cpu"
    found = (keep(earlier, found, cpu_allowed=cpu_allowed) if earlier else None) or found
    build = found.choice or {"cpu": found.cpu, "conda-forge": found.conda, "fail": None}[args.fallback]
    values = explain.as_values(found)
    if args.system == "Linux" and args.architecture != "x86_64":
        values["notes"].append(f"the table is that of x86_64; what builds for {args.architecture} need may differ")
    if build is None:
        return Result(values=values, message=explain.refusal(found, cpu_allowed=cpu_allowed), failed=True)
    values |= _chosen(args, found, build)
    if build.channel == CONDA_FORGE and not _is_in_conda(args, host, build):
        return Result(values=values, message=_declare(values), failed=True)
    return Result(values=values)


def _python(args: Args, wish: Wish, host: HostView) -> str:
    """The Python of the environment by its files; one that is only made by this plan has none to read yet.

    Raises:
        UnknownValueError: It is not known before the environment is made, and the choice depends on it.
    """
    if args.environment is None:
        return args.python
    try:
        return python_of(host, args.environment) or args.python
    except UnknownValueError:
        if args.python or (wish.exact and wish.tag):
            return args.python
        raise


def _earlier(args: Args, host: HostView) -> Wish | None:
    """The build that was chosen before, as a wish for exactly that one; None when another one is asked for by name."""
    wish = _wish(args)
    if args.remembered is None or args.version == NEWEST or (wish.exact and wish.tag):
        return None
    text = host.content(args.remembered).decode(errors="replace").strip()
    return read_wish(version=text, companions=args.companions) if _REMEMBERED.fullmatch(text) else None


def _chosen(args: Args, found: Resolution, build: Build) -> dict[str, Any]:
    conda = build.channel == CONDA_FORGE
    spec = installing.pip_requirements(build, found.wish, found.table, local=args.system != "Darwin")
    return {
        "version": build.torch,
        "tag": build.tag,
        "build": installing.own_version(build, local=args.system != "Darwin"),
        "channel": build.channel,
        "spec": [] if conda else list(spec),
        "index_urls": [] if conda else list(installing.index_urls(build.tag, args.sources)),
        "only_binary": installing.only_binary(found.machine, found.table),
        "conda_packages": list(installing.conda_packages(build, found.wish)) if conda else [],
    }


def _is_in_conda(args: Args, host: HostView, build: Build) -> bool:
    """Whether the environment has this build of conda-forge, by conda's record of it."""
    if args.environment is None:
        return True
    root = host.resolve(args.environment)
    return bool(host.names(f"{root}/conda-meta/pytorch-{build.torch}-{installing.conda_string(build)}*.json"))


def _declare(values: dict[str, Any]) -> str:
    packages = ", ".join(f'"{package}"' for package in values["conda_packages"])
    return (
        f"{values['why']}; of conda-forge there is torch {values['version']}\n"
        "conda installs that together with the environment; declare it there:\n"
        f"  conda_env_packages: [{packages}]"
    )


MODULE = Module("torch_build", Args, plan, aliases=("scupi.provision.torch_build",))
