"""Cases of modules as data: a host before, arguments, the host after. Read by test_module_cases.

before, after: paths to what is there: text (a file), {content, mode}, {dir: mode}, {link: target}, null (nothing).
    `after` is laid over `before`.
args: as in a playbook; {controller: …} stands for a file or folder of the controller.
changed: default: whether `after` says anything. again: "changed" when a second run changes again. fails: what it says.
values: what is registered (these at least). urls: what can be downloaded. programs: a script of what programs do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from scupi_provision.host.memory import HOME, MemoryHost, Node
from scupi_provision.modules.contract import ControllerFile, ControllerTree
from scupi_provision.shell.entry import Kind

FOLDER = Path(__file__).parent
_UNTOLD = {"/", "/home", HOME, f"{HOME}/.provision"}


@dataclass(frozen=True)
class Case:
    module: str
    name: str
    args: dict[str, Any]
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    changed: bool | None = None
    again: str = "ok"
    fails: str = ""
    refused: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    urls: dict[str, str] = field(default_factory=dict)

    def host(self) -> MemoryHost:
        nodes = tree(self.before)
        return MemoryHost(nodes, urls={url: text.encode() for url, text in self.urls.items()})

    @property
    def changes(self) -> bool:
        return bool(self.after) if self.changed is None else self.changed

    def wanted(self) -> dict[str, Node]:
        nodes = self.host().nodes | tree(self.after)
        for path, what in self.after.items():
            if what is None:
                nodes = {p: node for p, node in nodes.items() if p != full(path) and not p.startswith(full(path) + "/")}
        return told(nodes)


def full(path: str) -> str:
    return path.replace("~", HOME, 1)


def told(nodes: dict[str, Node]) -> dict[str, Node]:
    return {path: node for path, node in nodes.items() if path not in _UNTOLD}


def tree(description: dict[str, Any]) -> dict[str, Node]:
    return {full(path): node(what) for path, what in description.items() if what is not None}


def node(what: Any) -> Node:
    if isinstance(what, str):
        return Node(Kind.FILE, 0o644, what.encode("utf-8", "surrogateescape"))
    if "dir" in what:
        return Node(Kind.DIRECTORY, int(what["dir"], 8))
    if "link" in what:
        return Node(Kind.LINK, target=full(what["link"]))
    content = what.get("content", "").encode("utf-8", "surrogateescape")
    return Node(Kind.FILE, int(what.get("mode", "0644"), 8), content)


def argument(value: Any) -> Any:
    if not (isinstance(value, dict) and "controller" in value):
        return value
    what = value["controller"]
    mode = int(what.get("mode", "0644"), 8)
    if "files" not in what:
        return ControllerFile(what["path"], what["content"].encode(), mode)
    files = tuple(ControllerFile(path, text.encode(), mode) for path, text in what["files"].items())
    return ControllerTree(what["path"], files, tuple(what.get("directories", ())))


def load() -> list[Case]:
    found = []
    for path in sorted(FOLDER.glob("*/*.yaml")):
        for item in yaml.safe_load(path.read_text(encoding="utf-8")):
            name = item.pop("case")
            args = {key: argument(value) for key, value in item.pop("args").items()}
            found.append(Case(path.parent.name, name, args, **item))
    return found
