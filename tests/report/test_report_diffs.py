from scupi_provision.events import Diff
from scupi_provision.report.diffs import LINE_LIMIT, render_diff


def plain(diff: Diff) -> list[str]:
    return [line.plain.removeprefix("      ") for line in render_diff(diff)]


def test_a_changed_file_is_a_unified_diff_under_its_path() -> None:
    diff = Diff("~/.bashrc", "a\nb\nc\n", "a\nB\nc\n", "mode 0644 -> 0600")
    assert plain(diff) == ["~/.bashrc: mode 0644 -> 0600", "@@ -1,3 +1,3 @@", " a", "-b", "+B", " c"]


def test_a_new_file_is_all_added_lines() -> None:
    assert plain(Diff("~/new", None, "one\ntwo\n")) == ["~/new: new", "+one", "+two"]


def test_a_removed_file_is_all_removed_lines() -> None:
    assert plain(Diff("~/old", "one\n", None)) == ["~/old: removed", "-one"]


def test_without_text_the_summary_says_it_all() -> None:
    assert plain(Diff("~/dir", summary="create directory")) == ["~/dir: create directory"]
    assert plain(Diff("~/empty", None, "")) == ["~/empty: new, empty"]


def test_a_missing_last_newline_is_a_visible_difference() -> None:
    assert plain(Diff("f", "a", "a\n")) == ["f", "@@ -1 +1 @@", "-a", "\\ No newline at end of file", "+a"]


def test_line_endings_and_controls_are_visible() -> None:
    assert plain(Diff("f", "a\n", "a\r\n\x1b[2Jb\x0cc\n"))[2:] == ["-a", "+a\\r", "+\\x1b[2Jb\\x0cc"]


def test_a_long_diff_is_cut_and_says_how_much_is_missing() -> None:
    lines = plain(Diff("f", None, "".join(f"{n}\n" for n in range(200))))
    assert len(lines) == 1 + LINE_LIMIT + 1
    assert lines[-1] == "... 120 more lines left out"


def test_lines_that_look_like_a_diff_heading_are_content() -> None:
    assert plain(Diff("f", "-- a\n", "++ b\n")) == ["f", "@@ -1 +1 @@", "--- a", "+++ b"]
