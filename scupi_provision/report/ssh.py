"""Host keys that were met, and what became of an ssh configuration, as people read them."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from scupi_provision.access.ssh_config import WrittenBlock
from scupi_provision.access.trusted_key import TrustedKey
from scupi_provision.report import style
from scupi_provision.report.visible import visible
from scupi_provision.report.wording import counted

_DEFAULT_PORT = 22
_WORDS = {
    "known": "known",
    "pinned": "pinned",
    "new": "trusted from now on",
    "replaced": "trusted from now on, in place of the old one",
}


def print_trusted(key: TrustedKey, console: Console) -> None:
    """One hop on a line of its own, and below it where its key stands."""
    port = "" if key.port == _DEFAULT_PORT else f":{key.port}"
    address = f"{visible(key.address)}{port}"
    where = "" if address == key.host else f" ({address})"
    console.print(Text(f"{key.host}{where}  {key.fingerprint} ({key.kind})"), soft_wrap=True)
    is_news = key.standing in {"new", "replaced"}
    line = Text(f"  {_WORDS[key.standing]}: {visible(key.place)}", style=style.GOOD if is_news else style.QUIET)
    console.print(line, soft_wrap=True)


def print_written(block: WrittenBlock, console: Console) -> None:
    """What may be typed now."""
    done = "wrote" if block.changed else "nothing to change:"
    console.print(Text(f"{done} {counted(len(block.aliases), 'host')} in {block.file}"), soft_wrap=True)
    for alias in block.aliases:
        console.print(Text(f"  ssh {alias}", style=style.GOOD), soft_wrap=True)
    for line in block.overridden:
        text = f"  {visible(line)}: something above the marked block in that file wins over it"
        console.print(Text(text, style=style.BAD), soft_wrap=True)


def print_removed(block: WrittenBlock, console: Console) -> None:
    """Whether there was anything to remove."""
    said = "removed the marked block from" if block.changed else "there is no marked block in"
    console.print(Text(f"{said} {block.file}"), soft_wrap=True)
