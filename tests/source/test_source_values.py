"""Types, excerpts and suggestions."""

import math

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from scupi_provision.errors import Position
from scupi_provision.source import closest, diagnostic, excerpt, implicit, raw, read_text, suggestion
from scupi_provision.values import SourceFloat, SourceInt, SourceText, TemplateText


def typed(text: str):
    return implicit(read_text(f"key: {text}\n", "x"))["key"]


@pytest.mark.parametrize(
    "text",
    [
        "yes",
        "No",
        "ON",
        "off",
        "true",
        "False",
        "y",
        "n",
        "~",
        "null",
        "0",
        "42",
        "-7",
        "+3",
        "0644",
        "0812345",
        "0x1F",
        "-0x1f",
        "0b101",
        "0o17",
        "1.5",
        "3.10",
        ".5",
        "1.",
        "1e3",
        "1.0e+3",
        "1.0e3",
        "-.inf",
        ".INF",
        "+.inf",
        "12e3456",
        "abc",
        "'yes'",
        '"42"',
        "''",
        "00",
        "08",
        "0.0",
        "1.2.3",
        "1,000",
    ],
)
def test_plain_scalars_are_typed_as_pyyaml_types_them(text):
    assert typed(text) == yaml.safe_load(f"key: {text}\n")["key"]


@pytest.mark.parametrize(
    "text", ["2024-01-01", "10:30", "1:30:00", "1_000", "0b1_0", "1_0.5", "2001-12-14t21:59:43.10-05:00"]
)
def test_dates_times_and_grouped_digits_stay_text(text):
    """The documented deviation: nobody means 630 by 10:30."""
    assert typed(text) == text


def test_numbers_print_as_they_were_written():
    assert (typed("0644"), str(typed("0644"))) == (420, "0644")
    assert (typed("3.10"), str(typed("3.10"))) == (3.1, "3.10")
    assert isinstance(typed("0644"), SourceInt)
    assert isinstance(typed("3.10"), SourceFloat)
    assert math.isnan(typed(".nan"))


def test_a_number_of_ten_thousand_digits_stays_text():
    assert typed("9" * 10_000) == "9" * 10_000


def test_containers_keep_order_and_places():
    value = implicit(read_text("b: [1, {c: d}]\na:\n", "x"))
    assert value == {"b": [1, {"c": "d"}], "a": None}
    key = next(iter(value))
    assert isinstance(key, SourceText)
    assert key.position == Position("x", 1, 1)
    assert isinstance(value["b"][1]["c"], TemplateText)


def test_raw_leaves_every_scalar_as_text():
    value = raw(read_text("mode: 0644\nforce: yes\nowner:\nlist: [1, ~]\n", "x"))
    assert value == {"mode": "0644", "force": "yes", "owner": None, "list": ["1", None]}
    assert value["mode"].plain


def test_excerpts_come_from_the_file(tmp_path):
    path = tmp_path / "a.yml"
    path.write_text("first\n\tsecond \x1b[31m\nthird")
    assert excerpt(Position(str(path), 2, 1)) == " second �[31m"
    assert excerpt(Position(str(path), 3, 1)) == "third"
    assert excerpt(Position(str(path), 9, 1)) == ""
    assert excerpt(Position("no such file", 1, 1)) == ""
    assert diagnostic("wrong", Position(str(path), 1, 2), hint="try").excerpt == "first"


MODULES = ["copy", "file", "template", "lineinfile", "get_url", "path", "dest", "ansible_connection"]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("cpoy", "copy"),
        ("copyy", "copy"),
        ("opy", "copy"),
        ("cop", "copy"),
        ("Copy", "copy"),
        ("get-url", "get_url"),
        ("pth", "path"),
        ("tempalte", "template"),
        ("lineinflie", "lineinfile"),
        ("ansible_conection", "ansible_connection"),
        ("сору", "copy"),
        ("ｃｏｐｙ", "copy"),
        ("co\u200bpy", "copy"),
        ("xyz", None),
        ("", None),
        ("z", None),
    ],
)
def test_the_word_that_was_meant_is_found(word, meant):
    assert closest(word, MODULES) == meant
    assert suggestion(word, MODULES) == (f'did you mean "{meant}"?' if meant else "")


@settings(max_examples=200, deadline=None)
@given(data=st.data(), word=st.sampled_from(MODULES))
def test_every_single_slip_is_forgiven(data, word):
    at = data.draw(st.integers(0, len(word) - 1))
    letter = data.draw(st.sampled_from("abcdefghijklmnopqrstuvwxyz_"))
    slip = data.draw(st.sampled_from(["drop", "add", "replace", "exchange"]))
    slipped = {
        "drop": word[:at] + word[at + 1 :],
        "add": word[:at] + letter + word[at:],
        "replace": word[:at] + letter + word[at + 1 :],
        "exchange": word[:at] + word[at + 1 : at + 2] + word[at : at + 1] + word[at + 2 :],
    }[slip]
    assert closest(slipped, [word]) == word
