"""Which facts of a host a script rests on: those that, being otherwise, would have made another script."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

from scupi_provision.plan.models import Plan

_OTHERWISE: Mapping[str, tuple[str, ...]] = {
    "user": ("somebody",),
    "uid": ("4711",),
    "gid": ("4711",),
    "group": ("somebody",),
    "shell": ("/bin/sh", "/bin/bash"),
    "umask": ("0077", "0022"),
    "nodename": ("elsewhere",),
    "system": ("Darwin",),
    "architecture": ("aarch64",),
    "libc": ("", "glibc 2.5", "glibc 9.99"),
    "os_id": ("debian", "centos"),
    "os_version": ("99", "1"),
    "os_codename": ("none",),
    "os_like": ("none",),
    "tools": ("",),
    "build_cc": ("", "gcc 3.0", "gcc 99.0"),
    "build_libcurl": ("", "1.0.0", "99.0.0"),
    "build_openssl": ("", "0.9.8", "99.0.0"),
    "build_headers": ("", "bzlib.h curl/curl.h expat.h ffi.h lzma.h openssl/ssl.h pcre2.h readline/readline.h zlib.h"),
    "build_cargo": ("", "yes"),
    "nvidia_driver_text": ("", "999.99.99", "340.29"),
    "nvidia_header": ("", "CUDA Version: 99.9"),
    "gpu_0": ("", "0, , Tesla K80, 11441, 340.29, , 3.7"),
}
"""What a fact could be instead. Left out is what only makes a build quicker, and what changes by itself (`date`)."""


def mattering(facts: Mapping[str, str], outcome: Callable[[Mapping[str, str]], str]) -> list[str]:
    """The names of the facts on which the outcome of planning depends.

    Args:
        facts: As `facts.sh` tells them.
        outcome: Plans with other facts; equal texts mean equal scripts.
    """
    as_it_is = outcome(facts)
    found = []
    for name, others in _OTHERWISE.items():
        now = facts.get(name, "")
        tries = [
            {key: text for key, text in {**facts, name: other}.items() if text} for other in others if other != now
        ]
        if any(outcome(other) != as_it_is for other in tries):
            found.append(name)
    return found


def fingerprint(*plans: Plan) -> str:
    """A text that is the same for plans that would be the same script."""
    told = [[step.key, step.outcome, step.message, *map(repr, step.actions)] for plan in plans for step in plan.steps]
    return hashlib.sha256(repr(told).encode("utf-8", "surrogateescape")).hexdigest()


def fact_checks(names: list[str], facts: Mapping[str, str], *, assumed: bool) -> list[tuple[str, str, str]]:
    """Name, value and manner of comparison ("part": the value is somewhere in the fact) for each of these facts."""
    checks = []
    for name in names:
        value = " ".join(facts.get(name, "").split())
        if name == "tools":
            value = " ".join(word.partition("=")[0] for word in value.split())
        loose = assumed and value and name in {"build_cc", "build_openssl", "nvidia_driver_text", "gpu_0"}
        checks.append((name, _telling(name, value) if loose else value, "part" if loose else ""))
    return checks


def _telling(name: str, value: str) -> str:
    """The part of an assumed value that the real one must have."""
    if name == "gpu_0":
        return value.split(",")[2].strip()
    return value.rpartition(" ")[2]
