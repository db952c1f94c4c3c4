"""Running a case with each of the two tools, and what came of it in the same terms."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.conformance.cases import SHOW, SHOWN, Case

HERE = Path(__file__).parent
PROJECT = HERE.parent.parent
_OWN = {".provision", ".ansible", ".cache", SHOWN}
"""What the tools keep for themselves in a home."""
_GIT = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "nobody"), ("EMAIL", "nobody@localhost"), ("DATE", "1700000000 +0000"))
}
_ALWAYS_THE_SAME = {**_GIT, "LC_ALL": "C", "TZ": "UTC"}
"""For prepare.sh: commits and archives that are the same in both places."""
_BACKUP = re.compile(r"(\.\d+)?\.\d{4}-\d\d-\d\d@\d\d:\d\d:\d\d(\.[0-9a-f]{8})?~")
_INCLUDES = {"include_tasks", "include_role"}
_UNTOLD = {"gather_facts", "meta", "validate_argument_spec", *_INCLUDES}
"""Tasks that only one of the tools tells of."""
_OUTCOMES = {"would_change": "changed", "rescued": "failed", "known_after_apply": "unknown"}


@dataclass
class Ran:
    """What came of one run.

    Attributes:
        end: ok, failed, or refused (nothing was done).
        tasks: What became of each task, in order, on each host: (file:line, outcomes of its items).
        recap: The counts of each host.
        tree: What is in the home: path → kind, mode and content.
        shown: The values that the case shows.
        output: What the tool printed.
    """

    end: str
    tasks: dict[str, list[tuple[str, tuple[str, ...]]]] = field(default_factory=dict)
    recap: dict[str, dict[str, int]] = field(default_factory=dict)
    tree: dict[str, str] = field(default_factory=dict)
    shown: Any = None
    output: str = ""


class Forks:
    """A server of forks (see forks.py)."""

    def __init__(self, program: str, environment: Mapping[str, str]) -> None:
        command = [sys.executable, "-m", "tests.conformance.forks", program]
        self._server = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=dict(environment), cwd=PROJECT
        )

    def call(self, arguments: list[str], environment: Mapping[str, str], folder: Path, output: Path) -> int:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        request = {"arguments": arguments, "environment": dict(environment), "folder": str(folder)}
        self._server.stdin.write(json.dumps({**request, "output": str(output)}) + "\n")
        self._server.stdin.flush()
        answer = self._server.stdout.readline()
        assert answer, "the server of forks has ended: its error is above"
        return int(json.loads(answer)["code"])

    def close(self) -> None:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.close()
        self._server.wait(timeout=30)
        self._server.stdout.close()


def ansible_environment(scratch: Path, collections: Path) -> dict[str, str]:
    """What ansible-playbook is told by the environment: nothing of this machine's own settings."""
    scratch.mkdir(parents=True, exist_ok=True)
    (scratch / "ansible.cfg").write_text("[defaults]\n")
    return {
        "HOME": str(scratch),
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "ANSIBLE_CONFIG": str(scratch / "ansible.cfg"),
        "ANSIBLE_HOME": str(scratch / "ansible"),
        "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callbacks"),
        "ANSIBLE_CALLBACKS_ENABLED": "recorder",
        "ANSIBLE_COLLECTIONS_PATH": str(collections),
        "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        "ANSIBLE_PIPELINING": "1",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_ASYNC_DIR": str(scratch / "async"),
        "ANSIBLE_LOCALHOST_WARNING": "0",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "0",
        "ANSIBLE_DEPRECATION_WARNINGS": "0",
    }


@dataclass
class Workplace:
    """Where one tool runs one case: a home and a site of its own."""

    top: Path

    @property
    def home(self) -> Path:
        return self.top / "home"

    @property
    def site(self) -> Path:
        return self.top / "site"

    def prepare(self, case: Case) -> None:
        if case.given:
            shutil.copytree(case.given, self.site)
        for folder, files in ((self.home, case.home), (self.site, {**case.files, "site.yml": case.site()})):
            folder.mkdir(parents=True, exist_ok=True)
            for path, what in files.items():
                _make(folder / path, what)
        (self.site / self.inventory(case)).write_text(case.inventory)
        if (self.site / "prepare.sh").exists():
            environment = {"PATH": os.environ["PATH"], "HOME": str(self.top), **_ALWAYS_THE_SAME}
            subprocess.run(["sh", "-eu", "prepare.sh"], cwd=self.site, env=environment, check=True)

    @staticmethod
    def inventory(case: Case) -> str:
        is_ini = any(line.startswith("[") or "=" in line.split(":")[0] for line in case.inventory.splitlines())
        return "inventory" if is_ini else "inventory.yaml"

    def arguments(self, case: Case, http: str) -> list[str]:
        known = {"home": str(self.home), "site": str(self.site), "http": http}
        return ["-i", self.inventory(case), "-e", json.dumps(known), *case.options]

    def tree(self) -> dict[str, str]:
        found = {}
        for path in sorted(self.home.rglob("*")):
            relative = path.relative_to(self.home)
            if relative.name == ".git" and path.is_dir():
                found[str(relative)] = f"repository at {(path / 'HEAD').read_text()}"
            elif relative.parts[0] not in _OWN and ".git" not in relative.parts:
                found[self.told(str(relative))] = self.told(_told(path))
        return found

    def told(self, text: str) -> str:
        """`text` with this place's folders, and the names of backups, alike for both tools."""
        return _BACKUP.sub(".BACKUP~", text.replace(str(self.top), "TOP"))

    def shown(self) -> Any:
        path = self.home / SHOWN
        return json.loads(self.told(path.read_text())) if path.exists() else None


def _make(path: Path, what: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(what, str):
        path.write_text(what)
    elif "link" in what:
        path.symlink_to(what["link"])
    elif "dir" in what:
        path.mkdir(exist_ok=True)
        path.chmod(int(what["dir"], 8))
    else:
        path.write_bytes(base64.b64decode(what["b64"]) if "b64" in what else what["text"].encode())
        path.chmod(int(what.get("mode", "0644"), 8))


def _told(path: Path) -> str:
    if path.is_symlink():
        return f"link to {path.readlink()}"
    mode = f"{path.stat().st_mode & 0o7777:04o}"
    if path.is_dir():
        return f"folder {mode}"
    return f"file {mode} {path.read_bytes().decode('utf-8', 'backslashreplace')}"


def run_ansible(case: Case, place: Workplace, forks: Forks, environment: Mapping[str, str], http: str) -> Ran:
    record = place.top / "record"
    record.unlink(missing_ok=True)
    own = {**environment, "HOME": str(place.home), "CONFORMANCE_RECORD": str(record)}
    output = place.top / "output"
    code = forks.call(["site.yml", *place.arguments(case, http)], own, place.site, output)
    lines = [json.loads(line) for line in record.read_text().splitlines()] if record.exists() else []
    ran = Ran(_end(code, lines), tree=place.tree(), shown=place.shown(), output=output.read_text())
    items: dict[tuple[str, str], list[str]] = defaultdict(list)
    uncounted: dict[str, Counter[str]] = defaultdict(Counter)
    for line in lines:
        kind = line["kind"]
        if kind == "include":
            uncounted[line["host"]]["ok"] += 1
        elif kind == "recap":
            ran.recap = {host: _recap(Counter(counts) - uncounted[host]) for host, counts in line["recap"].items()}
        elif kind == "item":
            items[line["host"], line["place"]].append(line["outcome"])
        elif kind == "task":
            found = items.pop((line["host"], line["place"]), None) or [line["outcome"]]
            if line["outcome"] == "ignored":
                # Ansible counts a failure that it ignores as changed too, when the module says so.
                uncounted[line["host"]]["changed"] += line["changed"]
                found = ["ignored" if outcome == "failed" else outcome for outcome in found]
            action = line["action"].rpartition(".")[2]
            if action in _INCLUDES and line["outcome"] == "ok":
                continue  # Ansible counts each file that it includes instead
            untold = action in _UNTOLD and line["outcome"] in {"ok", "skipped"}
            if untold or line["name"].endswith(SHOW):
                counted = "changed" if line["outcome"] == "changed" else None
                uncounted[line["host"]].update({"skipped" if line["outcome"] == "skipped" else "ok": 1})
                uncounted[line["host"]].update({counted: 1} if counted else {})
                continue
            ran.tasks.setdefault(line["host"], []).append((_place(place, line["place"]), tuple(found)))
    return ran


def run_provision(case: Case, place: Workplace, forks: Forks, http: str, verb: str = "apply") -> Ran:
    environment = {"HOME": str(place.home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    output = place.top / f"output-{verb}"
    arguments = [verb, "site.yml", *place.arguments(case, http), "--json", "-v"]
    code = forks.call(arguments, environment, place.site, output)
    lines = [json.loads(line) for line in output.read_text().splitlines() if line.startswith('{"event"')]
    finished = [line for line in lines if line["event"] == "TaskFinished"]
    ran = Ran(_end(code, finished), tree=place.tree(), shown=place.shown(), output=output.read_text())
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for line in finished:
        task = line["task"]
        untold = task["module"] in _UNTOLD and line["outcome"] in {"ok", "skipped"}
        if task["name"] == SHOW or task["module"] == "generation" or untold:
            continue
        where = task["where"] or {"file": "", "line": 0}
        at = _place(place, f"{where['file']}:{where['line']}")
        outcome = _OUTCOMES.get(line["outcome"], line["outcome"])
        if line["outcome"] == "would_change" and any(diff["summary"].startswith("run ") for diff in line["diffs"]):
            outcome = "runs"
        told = ran.tasks.setdefault(line["host"], [])
        same_task = told and told[-1][0] == at and task["item"] != "" and counts[line["host"]]["_open"]
        counts[line["host"]]["_open"] = int(task["item"] != "")
        if same_task:
            told[-1] = (at, (*told[-1][1], outcome))
        else:
            told.append((at, (outcome,)))
        counts[line["host"]]["_rescued"] += line["outcome"] == "rescued"
    for host, tasks in ran.tasks.items():
        ran.recap[host] = _recap(_counted(tasks, rescued=counts[host]["_rescued"]))
    return ran


def _counted(tasks: list[tuple[str, tuple[str, ...]]], *, rescued: int) -> Counter[str]:
    """The recap by Ansible's rules: a task counts once; changed and ignored ones are ok as well."""
    counts: Counter[str] = Counter(rescued=rescued, failures=-rescued)
    for _, outcomes in tasks:
        if "failed" in outcomes:
            counts["failures"] += 1
        elif "unreachable" in outcomes:
            counts["unreachable"] += 1
        elif set(outcomes) == {"skipped"}:
            counts["skipped"] += 1
        else:
            counts.update(
                ok=1, changed="changed" in outcomes and "ignored" not in outcomes, ignored="ignored" in outcomes
            )
    return counts


def _recap(counts: Mapping[str, int]) -> dict[str, int]:
    names = ("ok", "changed", "failures", "skipped", "rescued", "ignored", "unreachable")
    return {name: counts[name] for name in names if counts.get(name)}


def _end(code: int, told: list[Any]) -> str:
    if code == 0:
        return "ok"
    return "failed" if told else "refused"


def _place(place: Workplace, path: str) -> str:
    return place.told(path).removeprefix("TOP/site/")
