"""What must not be shown, known by its text: every outlet asks the one mask of this process before it shows anything.

Secrets reach templates, arguments of programs, output that hosts send back and messages of libraries. No mark on a
value survives all of these, but its text does: so whoever learns a secret says so here, and whoever shows, writes or
sends something that is not the secret's own destination passes it through here. The mask belongs to the process, like
its standard output: an outlet that would have to be handed a mask is one that can be forgotten. docs/vault.md says what
is sure and what is not.
"""

from __future__ import annotations

import base64
import html
import json
import threading
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

STARS = "***"
"""What is shown in place of a secret."""
SHORTEST = 4
"""Characters that a secret must have to be masked: shorter ones would be found in every other word."""
_SHORTEST_INNER = 8
"""Characters that a part of base64 must have: shorter ones are found by chance in any base64."""
_CHARACTERS_PER_SEARCH = 16
"""Of a text, that are cut into pieces in the time in which one form is searched in it (measured; a power of two)."""
_MOST_LINES = 2_000
"""Lines of one secret that are masked one by one, too; a longer file is shown to nobody anyway."""
_ARMOUR = ("-----BEGIN ", "-----END ")
"""Lines of a key file that are in every key file."""


class Mask:
    """The secrets of a run, and how they look when something has been done to them. Safe between threads."""

    def __init__(self) -> None:
        self._forms: dict[str, tuple[str, ...]] = {}  # by their first SHORTEST characters
        self._count = 0
        self._guard = threading.Lock()

    def __bool__(self) -> bool:
        return bool(self._forms)

    def learn(self, text: str) -> None:
        """Hide `text`, each of its lines, and the forms of `forms_of`, from now on; what is too short is left."""
        found = [form for part in _parts(text) for form in forms_of(part)]
        with self._guard:
            forms = dict(self._forms)  # who is searching meanwhile goes on with the old one
            for form in found:
                others = forms.get(form[:SHORTEST], ())
                if form not in others:
                    forms[form[:SHORTEST]] = (*others, form)
                    self._count += 1
            self._forms = forms

    def knows(self, text: str) -> bool:
        """Whether a secret, or a form of one, stands in `text`."""
        return bool(self._forms) and bool(self._present(text))

    def hide(self, text: str) -> str:
        """`text` with STARS for everything secret in it; the same object when there is nothing."""
        if not self._forms:
            return text
        shown = text
        # Stars may close a gap between two pieces of another secret. Each round makes the text shorter.
        while present := self._present(shown):
            shown = _without(shown, present)
        return shown

    def forget(self) -> None:
        """Know no secret any more (a process that runs several sites, as tests do)."""
        with self._guard:
            self._forms, self._count = {}, 0

    def _present(self, text: str) -> list[str]:
        """The forms that stand in `text`, searched one by one, or by how they begin when they are many."""
        forms = self._forms
        found: Iterable[tuple[str, ...]] = forms.values()
        if len(text) < _CHARACTERS_PER_SEARCH * self._count:
            starts = {text[at : at + SHORTEST] for at in range(len(text) - SHORTEST + 1)}
            found = [forms[start] for start in starts & forms.keys()]
        return [form for some in found for form in some if form in text]


def forms_of(secret: str) -> Iterator[str]:
    """How `secret` is found in other texts; a form that is shorter than SHORTEST is left out.

    Itself, in base64 (wherever it begins there), in URLs, and as JSON, YAML, Python, shells and HTML quote it.
    """
    data = secret.encode("utf-8", "surrogateescape")
    forms = [
        secret,
        *_in_base64(data),
        quote(data, safe=""),
        quote(data),
        quote_plus(data),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        secret.replace("'", "''"),
        secret.replace("'", "'\\''"),
        secret.replace("'", "'\"'\"'"),
        html.escape(secret),
        html.escape(secret, quote=False),
    ]
    yield from (form for form in dict.fromkeys(forms) if len(form) >= SHORTEST)


def _in_base64(data: bytes) -> Iterator[str]:
    """Of the secret alone, and the digits that only depend on it when it stands in a longer text."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(data).decode("ascii")
        yield encode(data).decode("ascii").rstrip("=")
        for before in range(3):
            first = -(-before * 8 // 6)  # digits that the bytes before take part in
            last = (before + len(data)) * 8 // 6
            inner = encode(bytes(before) + data).decode("ascii")[first:last]
            if len(inner) >= _SHORTEST_INNER:
                yield inner


def _parts(text: str) -> Iterable[str]:
    """What of a secret is looked for: all of it, without the line break at its end, and its lines."""
    whole = text.strip("\r\n")
    lines = [line.strip() for line in whole.splitlines()[:_MOST_LINES]]
    parts = (whole, whole.strip(), *(line for line in lines if not line.startswith(_ARMOUR)))
    return dict.fromkeys(part for part in parts if len(part.strip()) >= SHORTEST)


def _without(text: str, forms: Iterable[str]) -> str:
    """`text` with STARS for every place that one of `forms`, or several that overlap, take."""
    places = sorted(place for form in forms for place in _places(text, form))
    pieces: list[str] = []
    end = 0
    for start, stop in places:
        if start > end or not pieces:
            pieces += [text[end:start], STARS]
        end = max(end, stop)
    return "".join([*pieces, text[end:]])


def _places(text: str, form: str) -> Iterator[tuple[int, int]]:
    at = text.find(form)
    while at >= 0:
        yield at, at + len(form)
        at = text.find(form, at + 1)


_MASK = Mask()


def mask() -> Mask:
    """The mask of this process."""
    return _MASK
