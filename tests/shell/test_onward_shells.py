"""Going on from a host, by ssh or by a job, in every shell that may be its /bin/sh; ssh and Slurm are stood in for."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from scupi_provision.errors import UnreachableError
from scupi_provision.run.session import Session
from scupi_provision.shell.actions import Run
from scupi_provision.shell.compile import Turn
from scupi_provision.shell.replies import RunReply
from scupi_provision.transport.base import Channel, Hop, JobWish, Way
from scupi_provision.transport.host_keys import HostKeyJudge
from scupi_provision.transport.local import LocalTransport
from scupi_provision.transport.nested import nest
from scupi_provision.transport.slurm import take_job

ADMIN = Hop("admin1", "admin1.example")
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJmGkyFLxCv1r6PkUmFQrDXbsVGn1zAPvvmiWoyNkTd4"

SSH = r"""
for last; do
  case $last in
    LocalCommand=*) up=${last#LocalCommand=} ;;
    UserKnownHostsFile=*) cp "${last#*=}" "$HOME/known"; stat -c %a "${last#*=}" >"$HOME/mode" ;;
  esac
done
printf '%s\n' "$@" >>"$HOME/args"
case " $* " in
  *" -M "*) [ ! -e "$HOME/fails" ] || { cat "$HOME/fails" >&2; exit 255; }; "$SHELL" -c "$up"; exec sleep 60 ;;
  *) exec /bin/sh -c "$last" ;;
esac
"""
SALLOC = r"""
printf '%s\n' "$@" >"$HOME/args"
echo "1 PENDING Resources" >"$HOME/queue"
[ ! -e "$HOME/full" ] || exec sleep 60
echo "1 RUNNING None" >"$HOME/queue"
"""
SQUEUE = r"""
[ -e "$HOME/queue" ] && read -r id state reason <"$HOME/queue" || exit 0
case "$*" in *%i*) echo "$id" ;; *) echo "$state $reason" ;; esac
"""
SCANCEL = r"""rm -f "$HOME/queue"; printf '%s\n' "$@" >"$HOME/cancelled" """
SRUN = r"""
case $1 in --help) echo "  --overlap  share" ; exit ;; esac
printf '%s\n' "$@" >"$HOME/step"
for last; do :; done
SLURM_JOB_ID=1 exec /bin/sh -c "$last"
"""


@dataclass
class Gateway:
    """A host whose /bin/sh is `shell`, with `tools` first on its PATH; `login` is what its login files do."""

    inner: LocalTransport
    shell: str
    tools: str
    login: str = "echo a greeting that spoils every stream;"
    way: Way = "jump"
    explanation: str = ""

    @property
    def alive(self) -> bool:
        return self.inner.alive

    def open_shell(self, command: str) -> Channel:
        command = command.replace("exec /bin/sh ", f"exec {self.shell} ", 1)
        command = command.replace("PATH=/usr/bin:/bin:", f"PATH={self.tools}:", 1)
        return self.inner.open_shell(f"{self.login} {command}")

    def close(self) -> None:
        self.inner.close()


@pytest.fixture
def gateway(shell: str, home: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Gateway]:
    """admin1, whose ssh and Slurm are scripts."""
    fakes = tmp_path / "fakes"
    fakes.mkdir()
    for name, text in {"ssh": SSH, "salloc": SALLOC, "squeue": SQUEUE, "scancel": SCANCEL, "srun": SRUN}.items():
        (fakes / name).write_text(f"#!/bin/sh\n{text}")
        (fakes / name).chmod(0o755)
    tools, program = "/usr/bin:/bin", f"/bin/{shell}"
    if shell == "busybox":
        tools = str(request.getfixturevalue("applets"))
        program = f"{tools}/ash"
    path = f"{fakes}:{os.environ['PATH']}"  # where a login finds them: Slurm's programs start with the login's PATH
    transport = Gateway(
        LocalTransport({"HOME": str(home), "PATH": path, "SHELL": "/bin/bash", "USER": "me"}),
        program,
        f"{fakes}:{tools}",
    )
    yield transport
    transport.close()


def _nested(gateway: Gateway, **changes: object) -> tuple[Hop, HostKeyJudge]:
    hop = Hop(**{"name": "gpu2", "address": "gpu2", "user": "me", "host_keys": (KEY,), **changes})  # type: ignore[arg-type]
    return hop, HostKeyJudge.for_hop(hop)


def _output(channel: Channel, said: bytes = b"") -> bytes:
    channel.send(said)
    output = b""
    while piece := channel.receive(10):
        output += piece
    channel.close()
    return output


def _until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


def test_a_shell_behind_ssh_has_a_line_of_its_own(gateway: Gateway, home: Path) -> None:
    hop, judge = _nested(gateway)
    way = nest(gateway, ADMIN, hop, judge, "")
    assert way.alive
    assert _output(way.open_shell("head -c 5; echo; echo done"), b"12345") == b"12345\ndone\n"
    assert (home / "known").read_text() == f"gpu2 {KEY}\n"
    assert (home / "mode").read_text() == "600\n"
    folder = Path((home / "args").read_text().split("ControlPath=")[1].split("/line")[0])
    assert folder.stat().st_mode & 0o777 == 0o700
    way.close()
    assert _until(lambda: not folder.exists())


def test_every_option_ends_ahead_of_the_name_and_the_command_is_one_word(gateway: Gateway, home: Path) -> None:
    hop, judge = _nested(gateway)
    way = nest(gateway, ADMIN, hop, judge, "")
    hostile = "printf '%s' \"a  b\" '$HOME' \\\\ \"it's\""
    assert _output(way.open_shell(hostile)) == b"a  b$HOME\\it's"
    assert (home / "args").read_text().endswith(f"--\ngpu2\n{hostile}\n")
    way.close()


@pytest.mark.parametrize(("login", "how"), [("sleep 30;", "begin within 1 s"), ("exit 3;", "files end the shell")])
def test_login_files_of_the_gateway_that_are_in_the_way_are_told_in_time(
    gateway: Gateway, login: str, how: str
) -> None:
    gateway.login = login
    hop, judge = _nested(gateway)
    admin = replace(ADMIN, login_timeout_s=1.0)
    for attempt in (lambda: nest(gateway, admin, hop, judge, ""), lambda: take_job(gateway, admin, hop, str)):
        with pytest.raises(UnreachableError, match=how):
            attempt()


def test_what_ssh_says_when_it_fails_is_understood(gateway: Gateway, home: Path) -> None:
    (home / "fails").write_text("ssh: connect to host gpu2 port 22: Connection refused\n")
    (home / ".ssh").mkdir()
    hop, judge = _nested(gateway)
    with pytest.raises(UnreachableError, match="gpu2 refuses connections from admin1 on port 22"):
        nest(gateway, ADMIN, hop, judge, "")


def test_the_keys_of_the_account_on_the_gateway_are_named(gateway: Gateway, home: Path) -> None:
    (home / "fails").write_text("me@gpu2: Permission denied (publickey).\n")
    (home / ".ssh").mkdir()
    for name in ("id_rsa", "id_rsa.pub", "known_hosts"):
        (home / ".ssh" / name).touch()
    hop, judge = _nested(gateway)
    with pytest.raises(UnreachableError) as caught:
        nest(gateway, ADMIN, hop, judge, "")
    assert "private keys in ~/.ssh on admin1: '~/.ssh/id_rsa'\n" in caught.value.diagnostic.detail


def test_a_job_is_held_while_it_is_wanted_and_then_given_back(gateway: Gateway, home: Path) -> None:
    hop = Hop("gpu2", "gpu2.example", job=JobWish(("--gres=gpu:1", "--comment=it's two"), time="30"))
    way = take_job(gateway, ADMIN, hop, lambda _: None)
    asked = (home / "args").read_text().splitlines()
    assert asked[2:] == [
        "--nodes=1",
        "--ntasks=1",
        "--time=30",
        "--nodelist=gpu2",
        "--gres=gpu:1",
        "--comment=it's two",
    ]
    assert _output(way.open_shell("head -c 3; echo job $SLURM_JOB_ID"), b"abc") == b"abcjob 1\n"
    step = (home / "step").read_text().splitlines()
    assert step[:2] == ["--jobid=1", "--overlap"]
    assert (home / "queue").exists()
    way.close()
    assert _until(lambda: not (home / "queue").exists())
    name = next(word for word in asked if word.startswith("--job-name=")).partition("=")[2]
    assert f"--name={name}" in (home / "cancelled").read_text().splitlines()


def test_a_job_that_still_waits_is_taken_out_of_the_queue(gateway: Gateway, home: Path) -> None:
    (home / "full").touch()
    told: list[str] = []
    with pytest.raises(UnreachableError, match="No Slurm job on gpu2 within 3 s"):
        take_job(gateway, ADMIN, Hop("gpu2", "gpu2", job=JobWish(wait_s=3)), told.append)
    assert "reason Resources" in told[0]
    assert _until(lambda: (home / "cancelled").exists() and not (home / "queue").exists())


def test_programs_in_a_job_are_told_its_gpus_and_others_are_not(shell: str, home: Path, gateway: Gateway) -> None:

    seen = []
    for given in ("", "SLURM_JOB_ID=7 CUDA_VISIBLE_DEVICES=0,1", "SLURM_JOB_ID=7 CUDA_VISIBLE_DEVICES="):
        gateway.login = f"export {given};" if given else ""
        session = Session(gateway, run_id="run-1", owner="tests")
        script = "echo ${SLURM_JOB_ID-no} ${CUDA_VISIBLE_DEVICES-no}"
        replies = list(session.perform([Turn(0, [Run(("/bin/sh", "-c", script))])]))
        (reply,) = [reply for reply in replies if isinstance(reply, RunReply)]
        seen.append(reply.stdout)
        session.close()
    assert seen == [b"no no\n", b"7 0,1\n", b"7\n"]
