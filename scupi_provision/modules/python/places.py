"""Where pip looks for packages: an index, flat folders of files, or both. Several such places are tried in order."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator

from scupi_provision.modules.contract import Text

FLAT = "find-links:"
"""Ahead of a folder, or of a page that lists files. Mirrors of PyTorch's wheels such as Aliyun's are no index."""


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) and value else [] if value in (None, "") else value


def check_place(text: str) -> str:
    """`text` when it names a place.

    Raises:
        ValueError: It does not; the message says what is wrong.
    """
    words = text.split()
    flat = [word.removeprefix(FLAT) for word in words if word.startswith(FLAT)]
    indexes = [word for word in words if not word.startswith(FLAT)]
    if not words:
        raise ValueError("an empty text is no index; leave the list empty for pip's own configuration")
    if len(indexes) > 1:
        raise ValueError(
            "one entry names several indexes: a package of the same name on the second one could be taken instead"
            " (dependency confusion); make them entries of the list, which are tried in order"
        )
    for word in indexes:
        if urlsplit(word).scheme not in {"http", "https", "file"}:
            raise ValueError(f"{word} is not the URL of an index")
    for word in flat:
        if not word.startswith("/") and urlsplit(word).scheme not in {"http", "https", "file"}:
            raise ValueError(f"{FLAT}{word} names neither a URL nor an absolute path")
    return " ".join(words)


def _check_all(texts: list[str]) -> list[str]:
    return [check_place(text) for text in texts]


Places = Annotated[list[Text], BeforeValidator(_as_list), AfterValidator(_check_all)]
"""Each entry is one index URL, any number of `find-links:WHERE`, or both with blanks between; text is a list of one."""
