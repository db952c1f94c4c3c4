"""The order of conda's versions: as documented, as another implementation has it, and as an order must be."""

import itertools

import pytest
import rattler
from hypothesis import given
from hypothesis import strategies as st
from scupi_provision.modules.conda.versions import parse_version

ASCENDING = [
    ["0.4", "0.4.0"], ["0.4.1.rc", "0.4.1.RC"], ["0.4.1"], ["0.5a1"], ["0.5b3"], ["0.5C1"], ["0.5"], ["0.9.6"],
    ["0.960923"], ["1.0"], ["1.1dev1"], ["1.1_"], ["1.1a1"], ["1.1.0dev1", "1.1.dev1"], ["1.1.a1"], ["1.1.0rc1"],
    ["1.1", "1.1.0", "1.1.0.0"], ["1.1+1"], ["1.1.0post1", "1.1.post1"], ["1.1post1"], ["1996.07.12"],
    ["1!0.4.1"], ["1!3.1.1.6"], ["2!0.4.1"],
]  # fmt: skip
"""The list in the documentation of conda's VersionOrder, with a local part and an underscore at the end added."""

_pieces = st.sampled_from(["0", "1", "2", "10", "007", "a", "rc1", "1a", "3rc2", "post", "post1", "dev", "2dev", "0a"])
_locals = st.sampled_from(["", "", "", "+cpu", "+cu118", "+1.2"])
_epochs = st.sampled_from(["", "", "", "0!", "1!"])
versions = st.builds(
    lambda epoch, parts, local: epoch + ".".join(parts) + local,
    _epochs, st.lists(_pieces, min_size=1, max_size=4), _locals,
)  # fmt: skip


def test_versions_ascend_as_conda_documents_it():
    for lower, higher in itertools.combinations(ASCENDING, 2):
        for one, two in itertools.product(lower, higher):
            assert parse_version(one) < parse_version(two), (one, two)


@pytest.mark.parametrize("equal", [group for group in ASCENDING if len(group) > 1], ids=" = ".join)
def test_equal_versions_are_one_and_hash_alike(equal):
    assert len({parse_version(text) for text in equal}) == 1


@given(versions, versions)
def test_the_order_is_that_of_another_implementation(one, two):
    ours, theirs = (parse_version(one), parse_version(two)), (rattler.Version(one), rattler.Version(two))
    assert (ours[0] < ours[1], ours[0] == ours[1]) == (theirs[0] < theirs[1], theirs[0] == theirs[1])


@given(st.lists(versions, min_size=3, max_size=3))
def test_it_is_a_total_order(texts):
    first, second, third = sorted(map(parse_version, texts))
    assert first <= second <= third
    assert not third < first
    assert (first < second) + (second < first) + (first == second) == 1


@given(versions, _pieces)
def test_a_version_begins_with_itself_and_with_what_is_longer_by_a_part(text, piece):
    version = parse_version(text)
    assert version.starts_with(version)
    if "+" not in text:
        assert parse_version(f"{text}.{piece}").starts_with(version)


@pytest.mark.parametrize(("version", "prefix"), [("1.20", "1.2"), ("1", "1.2"), ("2.1", "1"), ("1!1.2", "1.2")])
def test_beginning_is_by_parts_and_not_by_letters(version, prefix):
    assert not parse_version(version).starts_with(parse_version(prefix))


@pytest.mark.parametrize("text", ["", "1..2", "1 2", "1!2!3", "a!1", "1+", "1+a+b", "1,2", "ä", "1/2", "."])
def test_what_conda_would_not_take_is_refused(text):
    with pytest.raises(ValueError, match=r"version|part|before"):
        parse_version(text)
