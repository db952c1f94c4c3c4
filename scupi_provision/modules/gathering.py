"""`setup` and `gather_facts`: what is known of the host. It is read anyhow; these put it into variables."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import Field, Integer, ModuleArgs, PathText, Result, Words

_SUBSETS: dict[str, frozenset[str]] = {
    "date_time": frozenset({"date_time"}),
    "env": frozenset({"env"}),
    "user": frozenset(
        {"user_dir", "user_gecos", "user_gid", "user_id", "user_shell", "user_uid"}
        | {f"{kind}_{whose}_id" for kind in ("real", "effective") for whose in ("user", "group")}
    ),
    "platform": frozenset(
        {"architecture", "domain", "fqdn", "hostname", "kernel", "kernel_version", "machine", "machine_id", "nodename"}
        | {"python_version", "system", "userspace_architecture", "userspace_bits"}
    ),
    "distribution": frozenset(
        {"distribution", "distribution_major_version", "distribution_release", "distribution_version", "os_family"}
    ),
    "pkg_mgr": frozenset({"pkg_mgr"}),
    "python": frozenset({"python"}),
    "selinux": frozenset({"selinux"}),
    "service_mgr": frozenset({"service_mgr"}),
    "hardware": frozenset(
        {"memfree_mb", "memory_mb", "memtotal_mb", "swapfree_mb", "swaptotal_mb", "uptime_seconds"}
        | {"processor", "processor_cores", "processor_count", "processor_nproc", "processor_threads_per_core"}
        | {"processor_vcpus", "gpus", "gpu_count"}
    ),
}
_MINIMUM = frozenset().union(*(members for name, members in _SUBSETS.items() if name != "hardware"))
"""What `min` gives (and `!all` leaves), as the documentation of `setup` has it."""


class Args(ModuleArgs):
    """Gather facts. Fewer are not faster: all of them come with the first look at a host."""

    gather_subset: Words = Field(default=["all"], description="Which: all, min, hardware, env, …; `!` takes away.")
    filter: Words = Field(default=[], description="Only facts whose names match one of these, with `*` and `?`.")
    gather_timeout: Integer = Field(10, description="As in Ansible; looking takes a fraction of a second.")
    fact_path: PathText | None = Field(
        None, description="As in Ansible; programs for facts of one's own are not run, `ansible_local` is empty."
    )


def plan(args: Args, host: HostView) -> Result:
    """The facts as variables; nothing changes."""
    known = host.facts.variables()
    told: dict[str, Any] = {f"ansible_{name}": value for name, value in known.items() if _is_wanted(name, args)}
    told["gather_subset"] = list(args.gather_subset)
    # Facts that an earlier task has gathered stay, so all of them are there afterwards, whatever was asked for now.
    return Result(values={"ansible_facts": told}, facts=known)


def _is_wanted(name: str, args: Args) -> bool:
    if args.filter:
        patterns = args.filter
        if not any(fnmatchcase(full, pattern) for pattern in patterns for full in (name, f"ansible_{name}")):
            return False
    return _in_subsets(name, args.gather_subset)


def _in_subsets(name: str, subsets: list[str]) -> bool:
    """Later words win over earlier ones: `!all,!min,env` is nothing but the environment."""
    wanted = all(word.startswith("!") for word in subsets) or name in _MINIMUM
    for word in subsets:
        what = word.lstrip("!")
        members = _MINIMUM if what == "min" else _SUBSETS.get(what, frozenset({what}))
        if what == "all":
            wanted = not word.startswith("!") or name in _MINIMUM
        elif name in members:
            wanted = not word.startswith("!")
    return wanted
