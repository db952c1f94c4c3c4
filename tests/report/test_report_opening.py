import io
import json
import subprocess
import sys

import pytest
from scupi_provision.events import RunStarted
from scupi_provision.report import make_reporter


def test_the_package_is_imported_without_rich() -> None:
    """`provision --json` and `provision --help` must not wait for a console library."""
    program = "import sys, scupi_provision.report; print(sorted(m for m in sys.modules if m.split('.')[0] == 'rich'))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_json_goes_to_stdout_and_stderr_stays_silent() -> None:
    out, err = io.StringIO(), io.StringIO()
    reporter = make_reporter("json", diff=True, verbosity=2, stdout=out, stderr=err)
    reporter.handle(RunStarted("check", "site.yaml", ()))
    reporter.close()
    assert json.loads(out.getvalue())["event"] == "RunStarted"
    assert err.getvalue() == ""


def test_a_terminal_that_lacks_a_character_shows_its_escape() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")
    reporter = make_reporter("console", diff=False, verbosity=0, stdout=out, stderr=io.StringIO())
    reporter.handle(RunStarted("check", "文.yaml", ()))
    reporter.close()
    assert raw.getvalue() == b"provision check \\u6587.yaml\n"


@pytest.mark.parametrize("arguments", [[], ["--diff", "--verbose"], ["--fails"], ["--json"]])
def test_the_demo_plays(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "scupi_provision.report.demo", "--pause", "0", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=True)
    assert "git in a fresh login shell is the one built" in done.stdout
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stdout + done.stderr
