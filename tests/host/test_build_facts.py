"""The fact `build`: what compilers and headers say of themselves, as versions."""

import pytest
from scupi_provision.host.facts import Facts


@pytest.mark.parametrize(
    ("text", "compiler"),
    [
        ("cc (GCC) 4.8.5 20150623 (Red Hat 4.8.5-44)", "gcc 4.8.5"),
        ("cc (Debian 12.2.0-14+deb12u1) 12.2.0", "gcc 12.2.0"),
        ("gcc (Ubuntu 13.2.0-23ubuntu4) 13.2.0", "gcc 13.2.0"),
        ("Debian clang version 14.0.6", "clang 14.0.6"),
        ("Apple clang version 15.0.0 (clang-1500.3.9.4)", "clang 15.0.0"),
        ("", ""),
        ("cc: command not understood", ""),
    ],
)
def test_the_compiler_is_named_with_its_version(text, compiler):
    assert Facts({"build_cc": text}).build["cc"] == compiler


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("OpenSSL 1.0.2k-fips  26 Jan 2017", "1.0.2k"),
        ("OpenSSL 1.1.1n  15 Mar 2022", "1.1.1n"),
        ("OpenSSL 3.0.19 27 Jan 2026", "3.0.19"),
        ("", ""),
    ],
)
def test_openssl_is_told_by_its_version(text, version):
    assert Facts({"build_openssl": text}).build["openssl"] == version


def test_a_host_on_which_nothing_can_be_built_says_so():
    assert Facts().build == {"cc": "", "libcurl": "", "openssl": "", "headers": [], "cargo": False}
