"""The table of torch builds: every fact has its source, and a table that is wrong is not read."""

from __future__ import annotations

from pathlib import Path

import pytest
from scupi_provision.errors import InternalError
from scupi_provision.gpu import torch_builds as room
from scupi_provision.gpu.torch_builds import CPU, torch_builds
from scupi_provision.gpu.torch_table import read_table

FILE = Path(room.__file__).with_name("torch_builds.yaml")
TABLE = torch_builds()


def test_every_build_names_its_sources():
    """By names that the table explains, with a mark."""
    for build in (*TABLE.builds, *TABLE.conda):
        assert build.sources
        for name in build.sources:
            assert TABLE.sources[name].endswith(("(confirmed)", "(measured)", "(secondary)"))


def test_what_nobody_saw_is_said_where_it_is_chosen():
    """Builds that rest on neighbours alone are uncertain, or carry a note."""
    assert [build.name for build in TABLE.builds if "unseen" in build.sources and not (build.unsure or build.note)] == [
        "2.15.0+cpu"
    ]


def test_builds_are_ordered_and_unlike():
    names = [build.name for build in TABLE.builds]
    assert len(set(names)) == len(names)
    assert names[0] == f"{TABLE.newest}+cu132"


def test_builds_with_cuda_say_what_they_need():
    for build in TABLE.builds:
        assert bool(build.cuda) == bool(build.driver) == bool(build.codes) == (build.tag != CPU)
        assert build.tag == CPU or build.tag == f"cu{build.cuda.replace('.', '')}"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("tags: [cu117, cu118]", "tags: [cu117, cu999]", "no variant is described for cu999"),
        ("exceptions: {cu126: {glibc", "exceptions: {cu121: {glibc", "series 2.6 has no tag cu121"),
        ("sources: [pypi, unseen]", "sources: [hearsay]", "no source is described for hearsay"),
        ('glibc: "2.28"', "glibc: new", "'new' is not a version"),
        ('"12.0+PTX"', '"sm_120"', "is not a compute capability"),
        ("as_of:", "as-of:", "as_of"),
    ],
)
def test_a_wrong_table_is_not_read(tmp_path, old, new, said):
    text = FILE.read_text(encoding="utf-8")
    assert old in text
    wrong = tmp_path / "table.yaml"
    wrong.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(InternalError) as caught:
        read_table(wrong)
    assert said in caught.value.diagnostic.detail
