import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from scupi_provision.errors import Diagnostic, InputError, Position, ProvisionError, UnreachableError
from scupi_provision.report.errors import error_text, excerpt_window, render_error


def lines(text: str) -> str:
    return textwrap.dedent(text).strip("\n")


def test_an_error_is_shown_like_a_compiler_does() -> None:
    error = InputError(
        'unknown module "cpoy"',
        where=Position("playbooks/site.yaml", 12, 7),
        excerpt="    - cpoy:",
        detail="roles may use the modules that `provision docs` lists",
        hint='did you mean "copy"?',
    )
    assert error_text(error) == lines("""
        error: unknown module "cpoy"
          --> playbooks/site.yaml:12:7
           |
        12 |     - cpoy:
           |       ^
          roles may use the modules that `provision docs` lists
        hint: did you mean "copy"?
    """)


def test_an_error_without_a_place_is_its_words_alone() -> None:
    error = UnreachableError(
        "admin1 does not answer", detail="after 15 s\non port 7092", hint="are you online?\nor not?"
    )
    assert error_text(error) == lines("""
        error: admin1 does not answer
          after 15 s
          on port 7092
        hint: are you online?
              or not?
    """)


def test_all_diagnostics_are_shown_by_file_and_line_with_their_number() -> None:
    error = InputError.of(
        [
            Diagnostic("no place"),
            Diagnostic("third", Position("b.yaml", 1, 1)),
            Diagnostic("second", Position("a.yaml", 10, 1)),
            Diagnostic("first", Position("a.yaml", 9, 4)),
        ]
    )
    text = error_text(error)
    order = [line for line in text.splitlines() if line.startswith("error: ")]
    assert order == ["error: first", "error: second", "error: third", "error: no place"]
    assert text.splitlines()[-1] == "4 errors; no host was touched"


def test_the_console_prints_what_the_plain_text_says(console) -> None:
    error = InputError("[bold]x[/bold] \x1b[0m", where=Position("p\x07.yaml", 3, 2), excerpt="a\u202eb" * 90)
    recorder = console(80)
    render_error(error, recorder)
    assert recorder.file.getvalue() == error_text(error, 80) + "\n"


def caret_target(excerpt: str, column: int, width: int) -> str:
    """The character of the shown line that begins in the caret's cell."""
    shown, caret = excerpt_window(excerpt, column, width)
    before = next(i for i in range(len(shown) + 1) if cell_len(shown[:i]) == caret)
    return shown[before:]


@pytest.mark.parametrize(
    ("excerpt", "column", "target"),
    [
        ("  - cpoy:", 5, "cpoy:"),
        ("\t\tkey: x", 3, "key: x"),
        ("a\tkey", 3, "key"),
        ("名字: 错误 值", 5, "错误 值"),
        ("\x1b\u202ekey", 3, "key"),
        ("e\u0301: x", 5, "x"),
        ("short", 99, ""),
        ("short", 0, "short"),
        ("first line\nsecond", 1, "first line"),
    ],
)
def test_the_caret_stands_under_its_character(excerpt: str, column: int, target: str) -> None:
    assert caret_target(excerpt, column, 80) == target


def test_a_long_line_is_cut_around_the_caret() -> None:
    excerpt = "x" * 500 + "HERE" + "y" * 500
    shown, caret = excerpt_window(excerpt, 501, 60)
    assert len(shown) <= 60
    assert shown.startswith("...x")
    assert shown.endswith("y...")
    assert shown[caret:].startswith("HERE")


@given(
    st.text(st.sampled_from("ab \t中文é\x1b\u202e😀"), max_size=120),
    st.integers(1, 130),
    st.integers(20, 90),
)
def test_no_excerpt_is_wider_than_its_room_and_no_caret_misses(line: str, column: int, width: int) -> None:
    shown, caret = excerpt_window(line, column, width)
    assert cell_len(shown) <= width
    assert 0 <= caret <= cell_len(shown)
    if column <= len(line) and line[column - 1].isprintable():
        assert caret_target(line, column, width).startswith(line[column - 1])


def test_a_number_of_any_length_keeps_the_gutter_straight() -> None:
    text = error_text(ProvisionError("x", where=Position("f", 1234, 1), excerpt="key"))
    assert text.splitlines()[1:] == ["    --> f:1234:1", "     |", "1234 | key", "     | ^"]
