"""What new shells read for `conda` (roles/conda): quick, silent, and there at its first use, in every shell."""

from __future__ import annotations

import subprocess
from pathlib import Path

import jinja2
import pytest
from scupi_provision.host.generation import Generation
from scupi_provision.shell.words import word

TEMPLATE = Path(__file__).parents[2] / "roles/conda/templates/conda.sh.j2"
ACTIVATION = """
conda() { case $1 in activate) PATH=/env/bin:$PATH ;; *) echo "conda $*" ;; esac; }
"""


@pytest.fixture
def start(shell, tmp_path):
    """`start(text)`: what a shell says that has read env.sh and then runs `text`; the prefix is beside it."""
    prefix = tmp_path / "it's/miniforge3"
    jinja = jinja2.Environment(autoescape=False, trim_blocks=True)
    jinja.filters["quote"] = word
    script = jinja.from_string(TEMPLATE.read_text()).render(conda_prefix=str(prefix))
    (tmp_path / "env.sh").write_bytes(Generation(1).with_script("conda", script).script())

    def run(text, *, whole=True):
        profile = prefix / "etc/profile.d/conda.sh"
        profile.parent.mkdir(parents=True, exist_ok=True)
        if whole:
            profile.write_text(ACTIVATION)
        command = [shell, *(["ash"] if shell == "busybox" else []), "-c", f". {word(str(tmp_path))}/env.sh; {text}"]
        return subprocess.run(command, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False)

    return run


def test_reading_it_says_nothing_and_loads_nothing(start):
    done = start('echo "$PATH"', whole=False)
    assert (done.stdout, done.stderr) == ("/usr/bin:/bin\n", "")


def test_the_first_use_loads_conda_in_this_shell(start):
    done = start('conda activate x && echo "$PATH"; conda --version')
    assert (done.stdout, done.stderr) == ("/env/bin:/usr/bin:/bin\nconda --version\n", "")


def test_reading_it_again_after_that_does_no_harm(start, tmp_path):
    done = start(f"conda activate x; . {word(str(tmp_path))}/env.sh; conda activate y; conda --version")
    assert (done.stdout, done.stderr) == ("conda --version\n", "")


def test_where_conda_is_gone_it_says_so_and_the_shell_lives(start):
    done = start('conda activate x; echo "status $?"', whole=False)
    assert done.stdout == "status 127\n"
    assert "are gone" in done.stderr
