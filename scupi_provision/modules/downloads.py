"""Argument types of what is downloaded: where it is, and what it must hash to."""

from __future__ import annotations

import posixpath
import re
from typing import Annotated
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator

from scupi_provision.modules.contract import Text, Words
from scupi_provision.modules.get_url import check_url

CACHE = "~/.provision/cache"


def _sources(urls: list[str]) -> list[str]:
    if not urls:
        raise ValueError("no URL is given")
    return [check_url(url) for url in urls]


def _digest(text: str) -> str:
    digest = text.removeprefix("sha256:").lower()
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise ValueError("64 hex digits are needed, as sha256sum prints them")
    return digest


Urls = Annotated[Words, AfterValidator(_sources)]
"""Where something is, tried in order."""
Sha256 = Annotated[Text, AfterValidator(_digest)]
"""What it must hash to; `sha256:` may stand before the digits."""


def file_name(url: str) -> str:
    """The name of the file behind `url`."""
    return unquote(posixpath.basename(urlsplit(url).path))
