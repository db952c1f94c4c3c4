"""An account whose shells find no command any more, because of a PATH line in ~/.bashrc."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # tutorial_page.py, whatever pytest's import mode

from tutorial_page import ENGLISH

SLIPS = {
    "overwritten": "export PATH=/public/home/2021141520001/git/bin\n",
    "emptied": "export PATH=\n",
    "frozen with a parenthesis": 'export PATH=/opt/a (old)/bin:/usr/bin\nexport PATH=""\n',
}
LINE = re.compile(r"^PATH=.*getconf.*$", re.MULTILINE)


@pytest.mark.lab
@pytest.mark.parametrize("slip", SLIPS.values(), ids=SLIPS)
def test_a_broken_path_hinders_nothing(person, site, account, slip):
    """Neither check nor apply nor a check on the other node; and the line itself is the person's to mend."""
    bashrc = account / ".bashrc"
    bashrc.write_text(slip + bashrc.read_text())
    before = bashrc.read_bytes()
    playbook = site("""
    - hosts: admin1
      verify: gpu2
      tasks:
        - copy: {content: "made\\n", dest: ~/made}
        - shell: ls -A >listing
          args: {creates: listing}
      verify_tasks:
        - name: It is there
          expect: {shell: cat ~/made, stdout: made}
    """)
    applied = person.run("apply", playbook)
    assert applied.code == 0, applied.stdout + applied.stderr
    assert "made" in (account / "listing").read_text()
    assert bashrc.read_bytes() == before


@pytest.mark.parametrize("shell", ["bash", "dash"])
def test_the_tutorials_line_brings_the_commands_back(shell):
    (line,) = LINE.findall("\n".join(ENGLISH.blocks("sh")))
    text = (
        f"export PATH=/nowhere; ls / 2>/dev/null && exit 9; {line}; ls / >/dev/null && cat /dev/null && id >/dev/null"
    )
    done = subprocess.run([f"/bin/{shell}", "-c", text], env={}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
