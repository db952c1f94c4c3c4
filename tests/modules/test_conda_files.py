"""environment.yml and explicit lists: what is taken from them, and how the rest is refused."""

import pytest
from scupi_provision.host.record import TaskFailedError
from scupi_provision.modules.conda.environment_file import EnvironmentFile, parse_environment
from scupi_provision.modules.conda.explicit_list import parse_lock

BASE = "https://conda.anaconda.org/conda-forge"


def test_an_environment_file_is_read_as_conda_reads_it():
    head = b"name: x\nprefix: /y\nchannels:\n  - conda-forge\n"
    text = head + b"dependencies:\n  - python=3.10\n  - pip\n  - pip:\n    - a>=1\n"
    assert parse_environment(text, "e.yml") == EnvironmentFile(("conda-forge",), ("python=3.10", "pip"), ("a>=1",))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- numpy", "channels and dependencies are expected"),
        ("dependencys: []", "did you mean"),
        ("variables: {A: b}", "shell_init"),
        ("dependencies: numpy", "must be a list"),
        ("dependencies: [{npm: [x]}]", "at most one list under `pip:`"),
        ("dependencies: [{pip: [-r x.txt]}]", "options of pip are not taken"),
        ("dependencies: [{pip: x}]", "must be a list"),
        ("channels: [[x]]", "must be a list of texts"),
        ("a: [", r"e\.yml"),
        ("dependencies: \xff", "not UTF-8"),
    ],
)
def test_what_is_no_environment_file_is_refused_by_name(text, message):
    with pytest.raises(TaskFailedError, match=message):
        parse_environment(text.encode("latin-1"), "e.yml")


@pytest.mark.parametrize("digest", ["ab" * 16, "ab" * 32, "sha256:" + "ab" * 32])
@pytest.mark.parametrize("suffix", ["conda", "tar.bz2"])
def test_an_explicit_list_names_packages_and_their_hashes(digest, suffix):
    url = f"{BASE}/noarch/ca-certificates-2024.7.4-hbcca054_0.{suffix}"
    (locked,) = parse_lock(f"# made by conda\n\n@EXPLICIT\n{url}#{digest}\n".encode(), "lock.txt")
    assert (locked.url, locked.line) == (url, f"{url}#{digest}")
    assert locked.package.full_name == "ca-certificates-2024.7.4-hbcca054_0"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("", "@EXPLICIT is missing"),
        ("numpy=1.26", "@EXPLICIT is missing"),
        ("@EXPLICIT", "names no package"),
        (f"@EXPLICIT\n{BASE}/linux-64/numpy-1.26.4-0.conda", r"lock.txt:2: .* with its hash"),
        (f"@EXPLICIT\n{BASE}/linux-64/numpy.conda#{'ab' * 16}", r"lock.txt:2"),
        (f"@EXPLICIT\n{BASE}/linux-64/numpy-1.26.4-0.zip#{'ab' * 16}", r"lock.txt:2"),
        (f"@EXPLICIT\n{BASE}/a-1-0.conda#{'ab' * 16}\n{BASE}/a-2-0.conda#{'ab' * 16}", "names a more than once"),
    ],
)
def test_what_is_no_such_list_is_refused_by_line(lines, message):
    with pytest.raises(TaskFailedError, match=message):
        parse_lock(lines.encode(), "lock.txt")
