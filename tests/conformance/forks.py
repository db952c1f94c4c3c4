"""A server of forks: a program is imported once, and each call of it runs in a fork of its own.

Ansible asks the system, and not HOME, where the account's home is. So each fork has a mount namespace of its own, in
which /etc/passwd says what HOME does; that needs root.

Run as `python -m tests.conformance.forks ansible|provision`. A request is a line of JSON on standard input:
{"arguments", "environment", "folder", "output"}; what the call prints goes to the file `output`; the answer is a line
of JSON: {"code": status}.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import pwd
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

Program = Callable[[list[str]], "int | None"]
_MOST_SECONDS = 120
# From <sched.h> and <sys/mount.h>.
_CLONE_NEWNS, _MS_BIND, _MS_REC, _MS_PRIVATE = 0x00020000, 0x1000, 0x4000, 0x40000


def ansible_playbook() -> Program:
    from ansible.cli.playbook import PlaybookCLI

    for name in ("executor.playbook_executor", "executor.task_executor", "plugins.loader", "plugins.strategy"):
        importlib.import_module(f"ansible.{name}")
    return lambda arguments: PlaybookCLI.cli_executor(["ansible-playbook", *arguments])


def provision() -> Program:
    from scupi_provision.cli import main

    for name in ("plan.walk", "report.jsonl", "run.apply", "run.check", "transport.local"):
        importlib.import_module(f"scupi_provision.{name}")

    def run(arguments: list[str]) -> int | None:
        sys.argv = ["provision", *arguments]
        return main.main()

    return run


def serve(program: Program) -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            call(program, request)
        _, status = os.waitpid(child, 0)
        answers.write(json.dumps({"code": os.waitstatus_to_exitcode(status)}) + "\n")
        answers.flush()


def settle_home(home: str, passwd: str) -> None:
    """Make `home` the account's home, for this process and what it starts."""
    me = pwd.getpwuid(os.getuid()).pw_name
    accounts = [line.split(":") for line in Path("/etc/passwd").read_text().splitlines()]
    lines = [":".join([*fields[:5], home, *fields[6:]] if fields[0] == me else fields) for fields in accounts]
    Path(passwd).write_text("\n".join(lines) + "\n")
    libc = ctypes.CDLL(None, use_errno=True)
    for failed in (
        libc.unshare(_CLONE_NEWNS),
        libc.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None),
        libc.mount(passwd.encode(), b"/etc/passwd", None, _MS_BIND, None),
    ):
        if failed:
            raise OSError(ctypes.get_errno(), "the fork cannot have a home of its own (are you root?)")


def call(program: Program, request: dict) -> None:
    """The child's life. A call that hangs is ended by its alarm."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(_MOST_SECONDS)
    os.environ.clear()
    os.environ.update(request["environment"])
    settle_home(os.environ["HOME"], request["output"] + ".passwd")
    os.chdir(request["folder"])
    output = os.open(request["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    code = 1
    try:
        code = program(request["arguments"]) or 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001 - whatever ends the call, it is told and ends the fork alone
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve({"ansible": ansible_playbook, "provision": provision}[sys.argv[1]]())
