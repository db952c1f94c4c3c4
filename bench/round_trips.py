"""How many round trips a converged apply takes, counted on the wire, beside plain `ssh host true`.

    python bench/round_trips.py [--delay MS] [TASKS …]

A proxy that delays every byte stands between the controller and the lab's admin1. Generated playbooks of 10, 100 and
1,000 tasks are applied once and then measured when there is nothing left to change. A flight is a burst of the
client's bytes (`slow_link.flights` says how bursts are told apart). When the login was accepted and when the work was
done is told by the clients themselves (`timed_apply.py`; `ssh -v`). The goodbye after that, for whose answer nobody
waits, is counted apart.

Exit status 1 when the sizes differ, or when one takes more than 3 round trips after authentication.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from generated_site import write_site
from scupi_provision.lab.commands import Lab, reset, up
from slow_link import SlowLink, flights

MOST_AFTER_LOGIN = 3
SIZES = (10, 100, 1000)
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Measurement:
    """One program on the slow link.

    Attributes:
        before: Round trips up to and with the accepted login.
        after: Round trips after it, until the work is done.
        parting: Flights after that: the goodbye.
        bytes_out: Client to server.
        bytes_in: Server to client.
        wire_s: From the first byte until the work is done.
        total_s: The whole program.
        cpu_s: Its processor time.
    """

    name: str
    before: int
    after: int
    parting: int
    bytes_out: int
    bytes_in: int
    wire_s: float
    total_s: float
    cpu_s: float


class Bench:
    """A lab behind a slow link, and a folder for what the programs need to find it."""

    def __init__(self, lab: Lab, link: SlowLink, directory: Path, round_trip_s: float) -> None:
        self._lab = lab
        self._link = link
        self._directory = directory
        self._round_trip_s = round_trip_s
        self._known_hosts = directory / "known_hosts"
        self._inventory = directory / "inventory.yaml"
        self._write_access()

    def _write_access(self) -> None:
        """The lab's own inventory and known_hosts, with the port of the link in place of admin1's."""
        lab, port = self._lab, self._link.port
        known = lab.known_hosts.read_text(encoding="utf-8").replace(f"]:{lab.admin_port} ", f"]:{port} ")
        self._known_hosts.write_text(known, encoding="utf-8")
        inventory = lab.inventory.read_text(encoding="utf-8")
        inventory = inventory.replace(f"ansible_port: {lab.admin_port}", f"ansible_port: {port}")
        self._inventory.write_text(inventory.replace(str(lab.known_hosts), str(self._known_hosts)), encoding="utf-8")

    def apply(self, tasks: int) -> Measurement:
        """A converged apply of `tasks` tasks."""
        playbook = write_site(self._directory, tasks)
        noted = self._directory / "login"
        arguments = ["apply", str(playbook), "-i", str(self._inventory), "--json"]
        command = [sys.executable, str(_HERE / "timed_apply.py"), str(noted), *arguments]
        self._run(command)
        output, total_s, cpu_s = self._run(command)
        if '"outcome": "changed"' in output or f'"ok": {tasks}' not in output:
            sys.exit(f"the second apply of {tasks} tasks was not a converged one:\n{output[-2000:]}")
        login_at, done_at = map(float, noted.read_text(encoding="ascii").split())
        return self._measured(f"apply, {tasks:,} tasks", login_at, done_at, total_s, cpu_s)

    def plain_ssh(self) -> Measurement:
        """`ssh host true` by the OpenSSH client, which says when it is authenticated and when it has ended."""
        options = {
            "IdentityFile": self._lab.key_file,
            "IdentitiesOnly": "yes",
            "IdentityAgent": "none",
            "UserKnownHostsFile": self._known_hosts,
            "GlobalKnownHostsFile": "none",
        }
        command = ["ssh", "-v", "-F", "none", "-p", str(self._link.port)]
        command += [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        command += [f"{self._lab.user}@127.0.0.1", "true"]
        before, started = _cpu_of_children(), time.monotonic()
        with subprocess.Popen(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as client:
            said = [(time.monotonic(), line) for line in client.stderr or ()]
        if client.returncode != 0:
            sys.exit("ssh failed:\n" + "".join(line for _, line in said[-10:]))
        total_s, cpu_s = time.monotonic() - started, _cpu_of_children() - before
        login_at = next(moment for moment, line in said if line.startswith("Authenticated to"))
        done_at = next(moment for moment, line in said if "Transferred: sent" in line)
        return self._measured("ssh host true", login_at, done_at, total_s, cpu_s)

    def _run(self, command: list[str]) -> tuple[str, float, float]:
        environment = {**os.environ, "HOME": str(self._directory)}
        before, started = _cpu_of_children(), time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        seconds = time.monotonic() - started
        if done.returncode != 0:
            sys.exit(f"provision failed (exit {done.returncode}):\n{done.stdout[-2000:]}{done.stderr}")
        return done.stdout, seconds, _cpu_of_children() - before

    def _measured(self, name: str, login_at: float, done_at: float, total_s: float, cpu_s: float) -> Measurement:
        traffic = self._link.connections[-1]
        starts = flights(traffic, self._round_trip_s)
        # Another process noted these moments, a little after the bytes that they follow; flights are far apart.
        leeway = self._round_trip_s / 2
        before = [start for start in starts if start < login_at - leeway]
        parting = [start for start in starts if start > done_at - leeway]
        return Measurement(
            name,
            len(before),
            len(starts) - len(before) - len(parting),
            len(parting),
            traffic.bytes_sent,
            traffic.bytes_received,
            done_at - starts[0],
            total_s,
            cpu_s,
        )


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def table(measurements: list[Measurement], round_trip_s: float) -> str:
    """The measurements for people."""
    head = ("", "to login", "after", "parting", "bytes out", "bytes in", "wire s", "wire/RTT", "total s", "CPU s")
    rows = [
        (
            m.name,
            *(str(count) for count in (m.before, m.after, m.parting)),
            f"{m.bytes_out:,}",
            f"{m.bytes_in:,}",
            f"{m.wire_s:.2f}",
            f"{m.wire_s / round_trip_s:.1f}",
            f"{m.total_s:.2f}",
            f"{m.cpu_s:.2f}",
        )
        for m in measurements
    ]
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    return "\n".join(_aligned(row, widths) for row in (head, *rows))


def _aligned(row: tuple[str, ...], widths: list[int]) -> str:
    name, *numbers = row
    cells = [number.rjust(width) for number, width in zip(numbers, widths[1:], strict=True)]
    return "  ".join([name.ljust(widths[0]), *cells])


def verdict(applies: list[Measurement]) -> str:
    """What is wrong with the claim, or "" when it holds."""
    counts = {m.name: m.after for m in applies}
    if len(set(counts.values())) != 1:
        return f"the number of round trips depends on the number of tasks: {counts}"
    if max(counts.values()) > MOST_AFTER_LOGIN:
        return f"more than {MOST_AFTER_LOGIN} round trips after authentication: {counts}"
    return ""


def measure(sizes: tuple[int, ...], delay_s: float) -> list[Measurement]:
    """Plain ssh first, then an apply of each size, in a lab of their own."""
    with tempfile.TemporaryDirectory(prefix="provision-bench-") as scratch:
        directory = Path(scratch)
        lab = up(directory=directory / "lab", with_sources=False)
        try:
            with SlowLink(("127.0.0.1", lab.admin_port), delay_s) as link:
                bench = Bench(lab, link, directory, 2 * delay_s)
                return [bench.plain_ssh(), *(bench.apply(tasks) for tasks in sizes)]
        finally:
            reset(directory=directory / "lab")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("tasks", nargs="*", type=int, default=SIZES, metavar="TASKS", help="sizes of the playbooks")
    parser.add_argument("--delay", type=float, default=40.0, metavar="MS", help="delay each way (default: 40)")
    options = parser.parse_args()
    delay_s = options.delay / 1000
    measurements = measure(tuple(options.tasks), delay_s)
    print(f"round trips of a converged apply; the link takes {options.delay:g} ms each way\n")
    print(table(measurements, 2 * delay_s))
    wrong = verdict(measurements[1:])
    print(
        f"\nFAILED: {wrong}" if wrong else f"\nthe same for every size, at most {MOST_AFTER_LOGIN} after authentication"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
