"""What a build would find on a host, read from its headers in every shell."""

from __future__ import annotations

import os
import subprocess

import pytest
from scupi_provision.host.facts import Facts
from scupi_provision.shell.program import prelude

_ASK = 'p_put() { printf %s "$1"; }\nP_PATH=$PATH P_LANG=C P_UMASK=022\nexec 3>&1\n'

# As CentOS 7 has them.
CURLVER_H = (
    '/* LIBCURL_VERSION_NUM is for comparing */\n#define LIBCURL_VERSION "7.29.0"\n#define LIBCURL_VERSION_MAJOR 7\n'
)
OPENSSLV_H = """\
#ifdef  __cplusplus
# define OPENSSL_VERSION_NUMBER  0x100020bfL
# ifdef OPENSSL_FIPS
#  define OPENSSL_VERSION_TEXT    "OpenSSL 1.0.2k-fips  26 Jan 2017"
# else
#  define OPENSSL_VERSION_TEXT    "OpenSSL 1.0.2k  26 Jan 2017"
# endif
"""
CC = "#!/bin/sh\necho 'cc (GCC) 4.8.5 20150623 (Red Hat 4.8.5-44)'; echo Copyright\n"


@pytest.fixture(params=[("dash",), ("bash", "--posix"), ("busybox", "ash"), ("mksh",)], ids=lambda shell: shell[0])
def build(request, tmp_path):
    """`build(headers, cc)`: the fact `build` of a host with these headers and this compiler."""

    def read(headers, cc=""):
        for name, text in headers.items():
            path = tmp_path / "include" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (tmp_path / "bin").mkdir()
        if cc:
            (tmp_path / "bin/cc").write_text(cc)
            (tmp_path / "bin/cc").chmod(0o755)
        folders = "/usr/local/include /usr/include /usr/include/*-linux-gnu"
        assert folders in prelude("NONCE", "run")
        there = f"{tmp_path}/include"
        program = prelude("NONCE", "run").replace(folders, f"/none {there} {there}/*-linux-gnu")
        # The account's PATH has this compiler only; the session's own has the tools.
        done = subprocess.run(
            [*request.param, "-c", f"{_ASK}{program}P_PATH={tmp_path}/bin\np_build\n"],
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
            capture_output=True,
            check=True,
            timeout=60,
        )
        assert done.stderr == b""
        lines = [line.split(" ", 4) for line in done.stdout.decode().splitlines()]
        return Facts({name: value for _, _, _, name, value in lines}).build

    return read


def test_an_old_host_is_read_as_it_is(build):
    headers = {"curl/curl.h": "", "curl/curlver.h": CURLVER_H, "openssl/ssl.h": "", "openssl/opensslv.h": OPENSSLV_H}
    found = build({**headers, "x86_64-linux-gnu/zlib.h": ""}, CC)
    assert found == {
        "cc": "gcc 4.8.5",
        "libcurl": "7.29.0",
        "openssl": "1.0.2k",
        "headers": ["curl/curl.h", "openssl/ssl.h", "zlib.h"],
        "cargo": False,
    }


def test_headers_that_say_no_version_have_none(build):
    """A library that only the program has, or a header of another project under that name."""
    found = build({"curl/curl.h": "", "openssl/ssl.h": "", "openssl/opensslv.h": "#define OTHER 1\n"})
    assert (found["cc"], found["libcurl"], found["openssl"]) == ("", "", "")
    assert found["headers"] == ["curl/curl.h", "openssl/ssl.h"]
