"""A home, a play that changes it in every way there is, and what may be found when the play was stopped anywhere."""

from __future__ import annotations

import errno
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from real_plays import HOME_ONLY, RealPlays, tree
from scupi_provision.errors import ProvisionError
from scupi_provision.plan.stream import stream_of
from scupi_provision.run.session import Session
from scupi_provision.shell.replies import DeniedReply, Reply, StepDone
from scupi_provision.transport.local import LocalChannel, LocalTransport

PLAY = """
- copy: {dest: ~/new, content: "new", mode: "0600"}
- copy: {dest: ~/old, content: "changed", mode: "0640"}
- file: {path: ~/d, state: directory, mode: "0700"}
- copy: {dest: ~/d/in, content: "in"}
- file: {path: ~/cur, src: gen2, state: link}
- file: {path: ~/tree, state: absent}
- file: {path: ~/mode, mode: "0600"}
- copy: {src: ~/src, dest: ~/copy, remote_src: true}
- copy: {dest: ~/big, content: "BIG"}
- path_entry: {path: ~/bin, name: mine}
""".replace("BIG", "0123456789" * 7000)
AND_ONE_MORE = PLAY + "- copy: {dest: ~/one-more, content: x}\n"
"""So that the next run always has something to do, and takes the lock."""

FULL = (errno.ENOSPC, errno.EDQUOT)
ERRORS = (*FULL, errno.EROFS, errno.EIO)


@dataclass
class Fault:
    """A transport whose shell runs under killat.

    Attributes:
        point: Which change of the home; 0 for none.
        error: The errno with which it fails; 0 to kill everything before it.
        stays: Whether everything later that needs space fails too.
    """

    killat: Path
    home: Path
    log: Path
    shell: str = "/bin/dash"
    tools: str = "/usr/bin:/bin"
    point: int = 0
    error: int = 0
    stays: bool = False

    def __post_init__(self) -> None:
        self._inner = LocalTransport({"HOME": str(self.home), **HOME_ONLY})

    @property
    def alive(self) -> bool:
        return self._inner.alive

    def open_shell(self, command: str) -> LocalChannel:
        injected = (
            f"exec {self.killat} {self.point} {self.error} {int(self.stays)} {self.home} {self.log} {self.shell} "
        )
        command = command.replace("exec /bin/sh ", injected, 1).replace("PATH=/usr/bin:/bin:", f"PATH={self.tools}:", 1)
        return self._inner.open_shell(command)

    def close(self) -> None:
        self._inner.close()

    @property
    def count(self) -> int:
        """How many changes the shell made, the one that did not happen included."""
        return int(self.log.read_text().split("\n", maxsplit=1)[0])

    @property
    def met(self) -> str:
        """Which change did not happen."""
        return self.log.read_text().partition("\n")[2].strip()


@dataclass
class Stopped:
    """How a faulty run ended.

    Attributes:
        complete: Whether it was said that every step was done.
        error: What the engine would raise.
    """

    replies: list[Reply]
    complete: bool
    error: ProvisionError | None


class Reference:
    """The home in a folder of its own, made anew for each run."""

    def __init__(self, folder: Path) -> None:
        os.umask(0o022)
        self.folder = folder
        self.home = folder / "home"
        (folder / "site").mkdir()
        self.reset()
        self.before = tree(self.home)
        plays = RealPlays(folder / "site", home=self.home)
        self.stream = stream_of(plays.check(PLAY).steps)
        assert plays.apply(PLAY).proved
        plays.close()
        self.after = tree(self.home)
        self.generation = tree(self.home / ".provision/gen/1")
        self.recovered: set[str] = set()

    def close(self) -> None:
        shutil.rmtree(self.home, ignore_errors=True)

    def reset(self) -> None:
        """The home as it is before the play."""
        shutil.rmtree(self.home, ignore_errors=True)
        for name in ("gen1", "gen2", "tree/deep", "bin"):
            (self.home / name).mkdir(parents=True)
        for name in ("old", "mode", "src", "tree/a", "tree/deep/b"):
            (self.home / name).write_text(f"{name}, as it was\n")
        (self.home / "cur").symlink_to("gen1")

    def run(self, fault: Fault) -> Stopped:
        """Perform the play under a fault; what the home is then is looked at by the caller."""
        session = Session(fault, run_id="run-1", owner="tests (run run-1)")  # type: ignore[arg-type]
        replies: list[Reply] = []
        error = None
        try:
            replies.extend(session.perform(self.stream))
        except ProvisionError as caught:
            error = caught
        finally:
            session.close()
            fault.close()
        done = sum(isinstance(reply, StepDone) for reply in replies)
        denied = any(isinstance(reply, DeniedReply) for reply in replies)
        return Stopped(replies, error is None and not denied and done == len(self.stream), error)

    # --- what must hold -----------------------------------------------------------------------------------------------

    def now(self) -> dict[str, Any]:
        """The home as it is, without provision's own names in it."""
        return {name: what for name, what in tree(self.home).items() if "/.provision-" not in f"/{name}"}

    def torn(self) -> list[str]:
        """The paths that are neither as before nor as after."""
        now = self.now()
        wrong = [
            f"{name}: {now.get(name)!r:.80}"
            for name in sorted({*now, *self.before, *self.after})
            if now.get(name) not in (self.before.get(name), self.after.get(name))
        ]
        if len({name in now for name in self.before if name.split("/")[0] == "tree"}) > 1:
            wrong.append("tree: partly removed")
        current = self.home / ".provision/current"
        if os.path.lexists(current) and tree(self.home / ".provision" / current.readlink()) != self.generation:
            wrong.append("current: names a generation that is not whole")
        return wrong

    def recover(self) -> list[str]:
        """Apply again without any fault; what is wrong after that. Each state of the home is recovered from once."""
        state = self._state()
        if state in self.recovered:
            return []
        self.recovered.add(state)
        plays = RealPlays(self.folder / "site", home=self.home)
        try:
            applied = plays.apply(AND_ONE_MORE)
        finally:
            plays.close()
        wrong = [] if applied.proved else [f"the next apply did not converge: {applied.outcomes}"]
        now = tree(self.home)
        now.pop("one-more", None)
        if now != self.after:
            wrong.append(f"after the next apply: {sorted(set(now.items()) ^ set(self.after.items()))!r:.300}")
        return wrong + [f"left over: {path}" for path in self.left_over()]

    def left_over(self) -> list[str]:
        """What no run needs any more."""
        root = self.home / ".provision"
        found = [*self.home.rglob(".provision-*"), *root.glob("lock"), *root.glob(".lock-*")]
        found += [*root.glob("runs/*/blob-*"), *root.glob("runs/*/near-*")]
        return [str(path.relative_to(self.home)) for path in found]

    def _state(self) -> str:
        """The home, without what differs from run to run."""
        seen = {}
        for path in sorted(self.home.rglob("*")):
            name = re.sub(r"run-1-[^/]*-\d+(?=[/-]|$)", "run", str(path.relative_to(self.home)))
            if path.is_file() and not path.is_symlink() and not re.search(r"lock|/owner$|/err$", name):
                seen[name] = (path.stat().st_mode, path.read_bytes())
            else:
                seen[name] = (path.lstat().st_mode, b"")
        return repr(seen)
