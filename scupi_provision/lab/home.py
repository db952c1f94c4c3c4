"""The scratch home as a student finds it on the first day: the files of a CentOS 7 skeleton, and nothing else."""

from __future__ import annotations

from pathlib import Path

SEARCH_PATH_VARIABLE = "PROVISION_LAB_PATH"
"""Holds the node's PATH. A login shell reads the machine's /etc/profile, which on many systems replaces PATH."""

_BASHRC = """\
# .bashrc

# Source global definitions
if [ -f /etc/bashrc ]; then
\t. /etc/bashrc
fi

# Uncomment the following line if you don't like systemctl's auto-paging feature:
# export SYSTEMD_PAGER=

# User specific aliases and functions
alias ll='ls -l'
alias rm='rm -i'
PS1='[$USER@$HOSTNAME \\W]\\$ '
"""

_BASH_PROFILE = f"""\
# .bash_profile

# The lab's own line: /etc/profile of this machine has just replaced the node's PATH; take it back.
PATH=${{{SEARCH_PATH_VARIABLE}:-$PATH}}

# Get the aliases and functions
if [ -f ~/.bashrc ]; then
\t. ~/.bashrc
fi

# User specific environment and startup programs

PATH=$PATH:$HOME/.local/bin:$HOME/bin

export PATH
"""

_FILES = {
    ".bashrc": _BASHRC,
    ".bash_profile": _BASH_PROFILE,
    ".bash_logout": "# ~/.bash_logout\n",
}


def make_home(home: Path) -> None:
    """Make the home when there is none. One that exists is somebody's work and is left as it is."""
    if home.exists():
        return
    home.mkdir(mode=0o700, parents=True)
    for name, text in _FILES.items():
        path = home / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o644)
