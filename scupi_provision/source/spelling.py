"""Which known word was meant: for "did you mean" in every room."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

# Letters that look like Latin ones and arrive by copying from a web page or with another keyboard layout.
_LOOK_ALIKES = str.maketrans(
    "аеорсухікмтвнАЕОРСУХІКМТВНЅѕјЈοαρνιτκΟΑΡΝΙΤΚΕΗΜΒıȷ‐‑–—−．：",
    "aeopcyxikmtbhAEOPCYXIKMTBHSsjJoapvitkOAPNITKEHMBij-----.:",
)


def plain_spelling(word: str) -> str:
    """`word` in lower case Latin letters: full-width and look-alike characters replaced, invisible ones dropped."""
    folded = unicodedata.normalize("NFKC", word).translate(_LOOK_ALIKES).casefold()
    return "".join(char for char in folded if unicodedata.category(char) != "Cf").strip()


def closest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that `word` most likely meant, or None when none is near enough.

    One slip (a letter missing, added, wrong, or two exchanged) is always forgiven, two in words of six letters and
    more, three from twelve; `-`, `_` and letter case do not count.
    """
    spelled = plain_spelling(word).replace("-", "_")
    allowed = 1 + (len(spelled) >= 6) + (len(spelled) >= 12)
    best: tuple[int, bool, str] | None = None
    for candidate in candidates:
        other = plain_spelling(candidate).replace("-", "_")
        if abs(len(other) - len(spelled)) > allowed:
            continue
        distance = slips(spelled, other)
        if distance > allowed or distance >= max(len(spelled), len(other)):
            continue
        rank = (distance, other[:1] != spelled[:1], candidate)
        best = rank if best is None else min(best, rank)
    return best[2] if best else None


def suggestion(word: str, candidates: Iterable[str]) -> str:
    """`did you mean "copy"?`, or "" when nothing is near."""
    found = closest(word, candidates)
    return f'did you mean "{found}"?' if found is not None else ""


def slips(first: str, second: str) -> int:
    """The number of letters to insert, drop, replace or exchange with a neighbour to get from one word to the other."""
    before: list[int] = []
    row = list(range(len(second) + 1))
    for i, left in enumerate(first, 1):
        above, before_above = row, before
        row = [i]
        for j, right in enumerate(second, 1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (left != right))
            if i > 1 and j > 1 and left == second[j - 2] and first[i - 2] == right:
                cost = min(cost, before_above[j - 2] + 1)
            row.append(cost)
        before = above
    return row[-1]
