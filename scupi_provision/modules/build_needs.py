"""What a build asks of the host before it begins, and the packages that bring it."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NEED = re.compile(r"(?:(?:program|header|library):[^\s:|]+|pkg:[^\s:|<>=]+(?:(?:>=|=|<=)[^\s:|<>=]+)?)")

_PACKAGES = {
    "header:bzlib.h": ("libbz2-dev", "bzip2-devel"),
    "header:curl/curl.h": ("libcurl4-openssl-dev", "libcurl-devel"),
    "header:event.h": ("libevent-dev", "libevent-devel"),
    "header:expat.h": ("libexpat1-dev", "expat-devel"),
    "header:ffi.h": ("libffi-dev", "libffi-devel"),
    "header:lzma.h": ("liblzma-dev", "xz-devel"),
    "header:ncurses.h": ("libncurses-dev", "ncurses-devel"),
    "header:openssl/ssl.h": ("libssl-dev", "openssl-devel"),
    "header:pcre2.h": ("libpcre2-dev", "pcre2-devel"),
    "header:readline/readline.h": ("libreadline-dev", "readline-devel"),
    "header:sqlite3.h": ("libsqlite3-dev", "sqlite-devel"),
    "header:stdio.h": ("libc6-dev", "glibc-devel"),
    "header:uuid/uuid.h": ("uuid-dev", "libuuid-devel"),
    "header:zlib.h": ("zlib1g-dev", "zlib-devel"),
    "program:autoconf": ("autoconf", "autoconf"),
    "program:automake": ("automake", "automake"),
    "program:autoreconf": ("autoconf automake libtool", "autoconf automake libtool"),
    "program:bison": ("bison", "bison"),
    "program:cc": ("gcc", "gcc"),
    "program:libtoolize": ("libtool", "libtool"),
    "program:make": ("make", "make"),
    "program:pkg-config": ("pkg-config", "pkgconfig"),
    "program:xz": ("xz-utils", "xz"),
}
"""Names in Debian (and Ubuntu) and in Red Hat's family (CentOS, Rocky, Alma), by those distributions' own indexes."""


def check_need(text: str) -> str:
    """`text` when it says a need: one of program, header, library and pkg, or several with `|` between.

    Raises:
        ValueError: It does not.
    """
    if not all(_NEED.fullmatch(one) for one in text.split("|")):
        raise ValueError(
            f"{text!r} is none of program:NAME, header:FILE.h, library:NAME, pkg:NAME and pkg:NAME>=VERSION"
            " (several with | between: any of them will do)"
        )
    return text


def with_packages(needs: Iterable[str]) -> list[str]:
    """Each need followed by the packages that bring it, in words; "" when we do not know."""
    return [word for need in needs for word in (need, _packages(need))]


def _packages(need: str) -> str:
    known = next((_PACKAGES[one] for one in need.split("|") if one in _PACKAGES), None)
    return "" if known is None else f"{known[0]} on Debian and Ubuntu, {known[1]} on CentOS and its family"
