"""What `~/.provision/current` offers to the account's shells, and how a plan changes it.

One apply makes at most one new generation `gen/<n>` (env.sh and manifest.json). It becomes current by one rename at the
end of the play, so that no shell ever sees half of an apply, and going back is the same rename.
"""

from __future__ import annotations

import json
import posixpath
from dataclasses import dataclass, field, replace

from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.shell.words import word

ROOT = "~/.provision"
CURRENT = f"{ROOT}/current"
MANIFEST = f"{CURRENT}/manifest.json"
_FORMAT = 1
_FORMAT_WITH_SCRIPTS = 2
"""Of a manifest that names scripts: a provision that does not know them refuses it, and does not lose them."""


@dataclass(frozen=True)
class Generation:
    """What the environment of new shells is made of.

    Attributes:
        number: Counts applies that changed something; 0 is "nothing yet".
        paths: Name of the entry to directory, in the order of PATH (the first wins).
        variables: Exported variables.
        scripts: Name to POSIX shell text that every new shell reads, after all else.
    """

    number: int = 0
    paths: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    scripts: dict[str, str] = field(default_factory=dict)

    def with_path(self, name: str, directory: str, *, first: bool = True) -> Generation:
        """With this PATH entry; one of the same name is replaced where it stands."""
        if name in self.paths:
            return replace(self, paths={**self.paths, name: directory})
        return replace(self, paths={name: directory, **self.paths} if first else {**self.paths, name: directory})

    def without_path(self, name: str) -> Generation:
        """Without the PATH entry of this name."""
        return replace(self, paths={key: value for key, value in self.paths.items() if key != name})

    def with_script(self, name: str, text: str) -> Generation:
        """With this text for every new shell; one of the same name is replaced where it stands."""
        return replace(self, scripts={**self.scripts, name: text.strip("\n")})

    def without_script(self, name: str) -> Generation:
        """Without the text of this name."""
        return replace(self, scripts={key: value for key, value in self.scripts.items() if key != name})

    @property
    def content(self) -> tuple[object, ...]:
        """All that shells notice, with the order of PATH."""
        return tuple(self.paths.items()), self.variables, tuple(self.scripts.items())

    def manifest(self) -> bytes:
        """The generation as the file that is read back by the next plan."""
        number = _FORMAT_WITH_SCRIPTS if self.scripts else _FORMAT
        content = {"format": number, "number": self.number, "paths": self.paths, "variables": self.variables}
        if self.scripts:
            content["scripts"] = self.scripts
        return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()

    def script(self) -> bytes:
        """`env.sh`: read by every new shell of the account, so it must be quick, silent and harmless to read twice."""
        lines = [f"# Made by provision, generation {self.number}. Changes here are lost; change the playbook."]
        for directory in reversed(self.paths.values()):
            quoted = word(directory)
            lines.append(f'case ":$PATH:" in *:{quoted}:*) ;; *) PATH={quoted}${{PATH:+:$PATH}} ;; esac')
        if self.paths:
            lines.append("export PATH")
        lines += [f"export {name}={word(value)}" for name, value in self.variables.items()]
        for name, text in self.scripts.items():
            lines += [f"# {name}", text]
        return ("\n".join(lines) + "\n").encode()


def current(host: HostView) -> Generation:
    """The generation that is current on the host, or the empty one.

    Raises:
        TaskFailedError: The manifest is not ours or is damaged; it is left alone.
    """
    host.want(entries=[CURRENT], contents=[MANIFEST], names=[f"{ROOT}/gen/*"])
    content = host.content(MANIFEST)
    if not content:
        return Generation()
    try:
        data = json.loads(content)
        if data["format"] not in {_FORMAT, _FORMAT_WITH_SCRIPTS}:
            raise TaskFailedError(f"{MANIFEST} was written by another version of provision (format {data['format']})")
        scripts = dict(data.get("scripts", {}))
        return Generation(int(data["number"]), dict(data["paths"]), dict(data["variables"]), scripts)
    except (ValueError, KeyError, TypeError) as error:
        raise TaskFailedError(f"{MANIFEST} is damaged ({error}); `provision rollback` or remove it") from error


def staged(host: HostView) -> Generation:
    """The generation that this plan is making, or the current one when it has not changed anything yet."""
    return host.generation if isinstance(host.generation, Generation) else current(host)


def stage(host: HostView, wanted: Generation) -> bool:
    """Make `wanted` the generation that this plan ends with; whether that is a change."""
    now = staged(host)
    if wanted.content == now.content:
        return False
    number = host.generation.number if isinstance(host.generation, Generation) else _next_number(host)
    made = replace(wanted, number=number)
    directory = f"{ROOT}/gen/{number}"
    host.mkdir(directory, 0o700)
    # A text that a shell cannot parse would cost the account every login: it is refused before anything refers to it.
    validate = ("sh", "-n", "%s") if made.scripts else ()
    host.write(f"{directory}/env.sh", made.script(), 0o600, validate=validate)
    host.write(f"{directory}/manifest.json", made.manifest(), 0o600)
    host.record.generation = made
    return True


def numbers(host: HostView) -> list[int]:
    """The generations on the host, current or not, in ascending order."""
    found = (posixpath.basename(path) for path in host.names(f"{ROOT}/gen/*"))
    return sorted(int(name) for name in found if name.isdecimal())


def _next_number(host: HostView) -> int:
    """One that no earlier apply has used, also not one that was cut short or rolled back from."""
    return max([0, current(host).number, *numbers(host)]) + 1


def switch(host: HostView) -> bool:
    """Make the staged generation current: one rename. Whether there was one to switch to."""
    made = host.generation
    if not isinstance(made, Generation):
        return False
    return host.link(CURRENT, f"gen/{made.number}")
