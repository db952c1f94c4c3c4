"""Login nodes as students find them, for tests of the roles: the facts that their choices rest on."""

from __future__ import annotations

from scupi_provision.host.memory import FACTS

_ALL_HEADERS = "bzlib.h curl/curl.h expat.h ffi.h lzma.h openssl/ssl.h pcre2.h readline/readline.h sqlite3.h zlib.h"
_TOOLS = "make=/usr/bin/make cc=/usr/bin/cc xz=/usr/bin/xz python3=/usr/bin/python3"

CENTOS_7 = {
    **FACTS,
    "libc": "glibc 2.17",
    "tools": _TOOLS,
    "build_cc": "cc (GCC) 4.8.5 20150623 (Red Hat 4.8.5-44)",
    "build_libcurl": "7.29.0",
    "build_openssl": "OpenSSL 1.0.2k-fips  26 Jan 2017",
    "build_headers": _ALL_HEADERS,
}
"""With every -devel package: only its age stands in the way."""

DEBIAN_12 = {
    **FACTS,
    "libc": "glibc 2.36",
    "tools": _TOOLS,
    "build_cc": "cc (Debian 12.2.0-14+deb12u1) 12.2.0",
    "build_libcurl": "7.88.1",
    "build_openssl": "OpenSSL 3.0.19 27 Jan 2026",
    "build_headers": _ALL_HEADERS,
}

BARE = {**FACTS, "libc": "glibc 2.17", "tools": "curl=/usr/bin/curl"}
"""Nothing to build with."""


def without(facts: dict[str, str], *headers: str) -> dict[str, str]:
    """These facts of a host on which the packages with these headers are not installed."""
    kept = [name for name in facts["build_headers"].split() if name not in headers]
    gone = {name for name, header in _VERSIONS.items() if header in headers}
    return {name: text for name, text in {**facts, "build_headers": " ".join(kept)}.items() if name not in gone}


_VERSIONS = {"build_libcurl": "curl/curl.h", "build_openssl": "openssl/ssl.h"}
