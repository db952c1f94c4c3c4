"""Programs that look at start-up files on a host, and their answers. See rescue.sh."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass

from scupi_provision.shell.program import shell_source
from scupi_provision.shell.replies import FactReply
from scupi_provision.shell.words import encoded, word

_SAYS = b"provision-says\n"
"""The probe's own word on standard output."""


@dataclass(frozen=True)
class Trial:
    """What became of a shell that has read a start-up file.

    Attributes:
        status: Its exit status.
        late: Whether it had not ended in time.
        alive: Whether it came to run a command after the file.
        finds: Whether that command found `ls`.
        next_line: What the command read first on standard input, of what was there from the beginning; None when it was
            closed.
        speaks: Whether the command's standard output arrived.
        printed: The beginning of what the file printed (untrusted).
        said: The end of standard error (untrusted).
    """

    status: int
    late: bool
    alive: bool
    finds: bool
    next_line: str | None
    speaks: bool
    printed: bytes
    said: str


@dataclass(frozen=True)
class Parsed:
    """What a shell's parser says of a text.

    Attributes:
        cuts: For each line, whether the text up to its end is a whole.
        complaint: What it says of the text as a whole; "" when it takes it.
    """

    cuts: tuple[bool, ...]
    complaint: str


def parse(content: bytes, dialect: str, shell: str, lines: int) -> str:
    """Asks what the parser says of a text of so many lines."""
    return _about(content, f"p_cuts {dialect} {word(shell)} {lines}\n")


def parsed(replies: Iterable[FactReply]) -> Parsed:
    """The answer to `parse`."""
    facts = {reply.name: reply.value for reply in replies}
    cuts = tuple(digit == "1" for digit in facts.get("cuts", "").rstrip("-"))
    return Parsed(cuts, _text(facts.get("syntax", "=")))


def trial(content: bytes, occasion: str, dialect: str, shell: str, limit_s: int) -> str:
    """Asks what becomes of `shell` when it has read the text."""
    return _about(content, f"p_trial {occasion} {dialect} {word(shell)} {limit_s}\n")


def tried(replies: Iterable[FactReply]) -> Trial | None:
    """The answer to `trial`; None when the host could not make one (no room in /tmp)."""
    facts = {reply.name: reply.value for reply in replies}
    if "trial" not in facts:
        return None
    status, late, said_words, printed, said = facts["trial"].split(" ")
    words = _text(said_words).splitlines()
    output = _bytes(printed)
    before, found, after = output.partition(_SAYS)
    return Trial(
        status=int(status),
        late=late == "late",
        alive="alive" in words,
        finds="path" in words,
        next_line=next((each.partition(" ")[2] for each in words if each.startswith("read ")), None),
        speaks=bool(found) or len(output) >= 4096,
        printed=before + after,
        said=_text(said),
    )


def _about(content: bytes, question: str) -> str:
    text = f"{shell_source('rescue.sh')}if p_scratch; then\np_rescue_text {encoded(content)}\n{question}fi\n"
    return f"{text}p_scratch_end\n"


def _bytes(text: str) -> bytes:
    return b"" if text == "=" else base64.b64decode(text, validate=True)


def _text(text: str) -> str:
    return _bytes(text).decode("utf-8", "replace").strip()
