import pytest
from scupi_provision.report.visible import shortened, visible, visible_line, visible_lines
from scupi_provision.report.wording import counted, duration, listed


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text", "plain text"),
        ("中文 ä é", "中文 ä é"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x1b]52;c;aGk=\x07", "\\x1b]52;c;aGk=\\x07"),
        ("\x9b2J", "\\x9b2J"),
        ("a\u202eb", "a\\u202eb"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("half \ud800", "half \\ud800"),
        ("one\ntwo\r\t", "one\\ntwo\\r\\t"),
        ("\x7f\x00", "\\x7f\\x00"),
        ("line\u2028break", "line\\u2028break"),
        ("[bold]not markup[/bold] :smile:", "[bold]not markup[/bold] :smile:"),
    ],
)
def test_what_controls_a_terminal_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_tabs_in_a_line_reach_the_next_stop() -> None:
    assert visible_line("\tx\ty") == "    x   y"


def test_lines_end_at_line_feeds_only_and_crlf_is_one_break() -> None:
    assert visible_lines("a\r\nb\x0cc\rd\n\n") == ["a", "b\\x0cc\\rd"]
    assert visible_lines("\n") == []


def test_a_cut_text_says_so_and_keeps_its_limit() -> None:
    assert shortened("abcdefgh", 6) == "abc..."
    assert shortened("abcdef", 6) == "abcdef"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0.0s"), (9.94, "9.9s"), (9.96, "10s"), (59.6, "1m 00s"), (112, "1m 52s"), (7500, "2h 05m"), (-1, "0.0s")],
)
def test_durations_are_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_numbers_and_lists_are_words() -> None:
    assert (counted(1, "check"), counted(0, "check")) == ("1 check", "0 checks")
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed([f"s{n}" for n in range(30)]) == "s0, s1, s2, s3, s4 and 25 others"
