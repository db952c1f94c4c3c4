"""The output of a job that is followed: without secrets, however its bytes are cut."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scupi_provision.masking import mask
from scupi_provision.report.attach import SaidText

SECRET = "pässwörd-Q7"
TEXT = f"begin\ntoken={SECRET}\n\x1b[1m{SECRET}{SECRET}\nlast {SECRET}"


@pytest.fixture(autouse=True)
def _forgetful() -> Iterator[None]:
    yield
    mask().forget()


def shown(pieces: list[bytes]) -> str:
    said = SaidText()
    return "".join([*map(said.more, pieces), said.more(b"", last=True)])


@given(st.lists(st.integers(0, len(TEXT.encode())), max_size=6))
def test_a_secret_is_masked_wherever_its_bytes_are_cut(cuts: list[int]) -> None:
    mask().learn(SECRET)
    data = TEXT.encode()
    places = [0, *sorted(cuts), len(data)]
    pieces = [data[begin:end] for begin, end in pairwise(places)]
    assert shown(pieces) == "begin\ntoken=***\n\x1b[1m***\nlast ***"


def test_without_secrets_everything_is_shown_as_it_comes() -> None:
    said = SaidText()
    assert [said.more(b"10%\r"), said.more(b"20%\xc3"), said.more(b"\xa4")] == ["10%\r", "20%", "ä"]


def test_a_character_that_never_ends_is_told_of_at_the_end() -> None:
    assert shown([b"x\xc3"]) == "x\N{REPLACEMENT CHARACTER}"
