"""Checks of the machine: system, C library, compiler, what it reaches, GPUs."""

from __future__ import annotations

from collections.abc import Sequence

from scupi_provision.host.finding import Finding, State
from scupi_provision.host.gpus import cuda_driver
from scupi_provision.run.doctoring.node import Node, numbered

_OLDEST_GLIBC, _USUAL_GLIBC = (2, 17), (2, 28)
"""What Miniforge and python-build-standalone need (2.17), and what torch from 2.7 on and VS Code need (2.28)."""
_LISTED_CELLS = 7
"""Of a line that nvidia-smi has written; what the kernel's module tells has fewer."""
_POSIX_SHELLS = {"sh", "bash", "dash", "ash", "ksh", "mksh", "zsh", "busybox"}


def login_shell(node: Node) -> Finding:
    """Our programs go by /bin/sh, whatever the account has."""
    shell = node.raw.get("shell", "")
    if not shell or shell.rsplit("/", 1)[-1] in _POSIX_SHELLS:
        return node.ok("login shell", shell or "/bin/sh")
    what = f"{shell}: provision works with it, but ~/.bashrc and the lines of its roles are for bash"
    return node.found("login shell", State.NOTE, what, "chsh -s /bin/bash, or ask the administrator for bash")


def agent(node: Node) -> Finding:
    """Whoever is root on a node where an agent is forwarded to can log in with its keys (ssh(1), -A)."""
    if socket := node.raw.get("agent"):
        what = f"an ssh-agent runs there ({socket}); provision has forwarded none"
        return node.found("agent", State.NOTE, what, "nothing, when you started it there; else look in ~/.bashrc")
    return node.ok("agent", "not forwarded")


def system(node: Node) -> Finding:
    """For whoever reads the report."""
    raw = node.raw
    named = f"{raw.get('os_id', '').capitalize()} {raw.get('os_version', '')}".strip() or raw.get("os_text", "")
    parts = (named, f"Linux {raw.get('kernel', '?')}", raw.get("architecture", "?"), f"{raw.get('cpus', '?')} CPUs")
    return node.ok("system", ", ".join(part for part in parts if part))


def c_library(node: Node) -> Finding:
    """Which builds run here."""
    version = node.facts.glibc
    if version is None:
        what = f"{node.raw.get('libc', 'not glibc')}: builds of torch, conda and Python are made for glibc"
        return node.found("C library", State.WARNING, what, "use another node")
    if version_of(version) < _OLDEST_GLIBC:
        what = f"glibc {version}, older than any conda or torch can use (2.17)"
        return node.found("C library", State.PROBLEM, what, "use another node")
    if version_of(version) < _USUAL_GLIBC:
        what = f"glibc {version}: torch from 2.7 on and VS Code's server need 2.28"
        fix = "leave torch's version to the role torch, which takes one that runs; for VS Code: provision vscode"
        return node.found("C library", State.NOTE, what, fix)
    return node.ok("C library", f"glibc {version}")


def compiler(node: Node) -> Finding:
    """For the roles that build from source."""
    name = node.facts.build["cc"]
    if name:
        return node.ok("compiler", name)
    if node.computes:
        return node.ok("compiler", "none, and none is needed: nothing is built here")
    fix = "put the role conda before git, and git comes from conda, too; or load a compiler: module load gcc"
    return node.found("compiler", State.NOTE, "none: nothing can be built from source", fix)


def internet(node: Node) -> Finding:
    """Which of the sources answer."""
    check = "sources"
    answers = dict(zip(node.urls, numbered(node.raw, "reach"), strict=False))
    if not answers:
        return node.ok(check, "not asked: neither curl nor bash is there")
    names = {
        state: [_server(url) for url, answer in answers.items() if answer == state] for state in ("yes", "no", "tls")
    }
    if names["tls"]:
        what = f"{_listed(names['tls'])} answers, but not over TLS that can be trusted"
        fix = f"look at the clock, and for a proxy (env | grep -i proxy); on {node.name}: curl -vI https://{names['tls'][0]}/"
        return node.found(check, State.WARNING, what, fix)
    if names["yes"]:
        others = f"; not {_listed(names['no'])}" if names["no"] else ""
        return node.ok(check, f"{_listed(names['yes'])} answers{others}")
    if node.computes:
        return node.ok(check, "none answers, and none has to: nothing is downloaded here")
    what = f"none answers ({_listed(names['no'])})"
    fix = "nothing has to be done: what is downloaded comes through this computer (`provision_fetch_via: auto`)"
    return node.found(check, State.NOTE, what, fix)


def gpus(node: Node) -> Finding:
    """Driver and GPUs, and whether nvidia-smi answers at all."""
    check, facts, raw = "GPU", node.facts, node.raw
    answered = "nvidia_header" in raw or "nvidia_said" in raw or raw.get("gpu_0", "").count(",") >= _LISTED_CELLS - 2
    if "nvidia_smi" in raw and not answered:
        what = "nvidia-smi does not answer within 20 s: programs that use the GPU will hang, too"
        return node.found(check, State.PROBLEM, what, _to_administrator(node, "nvidia-smi hangs; please look at dmesg"))
    if facts.gpus:
        cuda = cuda_driver(raw)
        names = [
            f"{len([g for g in facts.gpus if g.name == name])} × {name}" for name in {g.name: 0 for g in facts.gpus}
        ]
        driver = f"driver {facts.nvidia_driver or '?'}{f', CUDA {cuda}' if cuda else ''}"
        return node.ok(check, f"{_listed(names)}, {driver}")
    if facts.nvidia_driver or "nvidia_said" in raw:
        said = raw.get("nvidia_said", f"the driver {facts.nvidia_driver} lists no GPU")
        return node.found(check, State.PROBLEM, said, _to_administrator(node, f"no GPU to be seen; nvidia-smi: {said}"))
    if not node.computes:
        return node.ok(check, "none here, and none is expected on a login node")
    if node.reason:
        return node.found(
            check,
            State.NOTE,
            f"none, as a stand-in: {node.reason}",
            "nothing has to be done: checks run on the CPU and say so",
        )
    what = "no GPU and no NVIDIA driver"
    return node.found(check, State.WARNING, what, _to_administrator(node, "should there not be GPUs and a driver?"))


def scheduler(node: Node) -> Finding:
    """Slurm, when there is one."""
    return node.ok("Slurm", "srun is here" if "srun" in node.facts.tools else "not here")


def version_of(text: str) -> tuple[int, ...]:
    """A version for comparing; what is no number in it counts as 0."""
    return tuple(int(part) if part.isdecimal() else 0 for part in text.split("."))


def _to_administrator(node: Node, sentence: str) -> str:
    return f"write to the administrator: on {node.name}, {sentence}"


def _server(url: str) -> str:
    return url.split("://", 1)[-1].split("/", 1)[0]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(names))


CHECKS = (login_shell, agent, system, c_library, compiler, internet, gpus, scheduler)
"""In the order in which they are told."""
