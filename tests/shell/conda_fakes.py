"""What stands for conda where only the control flow of our scripts is tested: an installer and a program, both in sh.

They make the files that the scripts look at and write down how they were called. What the real ones do is proved in the
lab, by whole runs.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from scupi_provision.shell.scripts import script
from scupi_provision.shell.words import words

INSTALLER = """#!/bin/sh
# {padding}
if true; then
    min_glibc_version="{floor}"
fi
update= prefix=
while [ $# -gt 0 ]; do case $1 in -b) ;; -u) update=over ;; -p) prefix=$2; shift ;; esac; shift; done
echo "$0 ${{update:-new}} $prefix" >>"$HOME/calls"
[ -n "$update" ] || ! [ -e "$prefix" ] || {{ echo 'ERROR: File or directory already exists' >&2; exit 1; }}
mkdir -p "$prefix/conda-meta" "$prefix/bin"
{during}
printf '#!/bin/sh\\necho conda 26.3.2\\n' >"$prefix/bin/conda"
chmod +x "$prefix/bin/conda"
echo made >"$prefix/conda-meta/history"
exit 0
@@END_HEADER@@
min_glibc_version="9.9"
"""

PROGRAM = """#!/bin/sh
# A program like conda, for tests: writes down how it was called; packages are what stands after the options.
if [ "$2" = --help ]; then echo "usage: conda create [--no-lock]"; exit 0; fi
echo "$*" >>"$HOME/calls"
env | grep -E '^(CONDA_|MAMBA_)' | sort >"$HOME/environment"
verb=$1 prefix= specs=
shift
while [ $# -gt 0 ]; do
  case $1 in
    -p) prefix=$2; shift ;;
    -c) case $2 in *broken*) echo "cannot reach $2" >&2; exit 1 ;; esac; shift ;;
    --file) cp "$2" "$HOME/explicit"; ! grep -q broken "$2" || exit 1; specs="$specs locked"; shift ;;
    -*) ;;
    *) specs="$specs ${1%%[=<>]*}" ;;
  esac
  shift
done
if [ "$verb" = create ] && [ -e "$prefix" ]; then echo "prefix already exists" >&2; exit 1; fi
mkdir -p "$prefix/conda-meta" "$prefix/bin"
echo "$verb" >>"$prefix/conda-meta/history"
for spec in $specs; do
  if [ "$verb" = remove ]; then rm "$prefix/conda-meta/$spec-1-0.json"; else : >"$prefix/conda-meta/$spec-1-0.json"; fi
done
: >"$CONDA_PKGS_DIRS/fetched"
"""


@dataclass(frozen=True)
class Host:
    """A home, and the shell and tools that scripts run with there."""

    home: Path
    shell: tuple[str, ...]
    path: str

    def run(self, *names: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run shell files as a plan does, but in this shell; `stdin` and `environment` are not among the variables."""
        stdin = variables.pop("stdin", "")
        _, _, text = script(*names, **variables)
        environment = {"HOME": str(self.home), "PATH": self.path, "LANG": "C", "USER": "me"}
        return subprocess.run(
            [*self.shell, "-c", text], env=environment, cwd=self.home, input=stdin,
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    def put(self, path: str, text: str) -> Path:
        file = self.home / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o755)
        return file

    def with_tool(self, name: str, text: str) -> Host:
        """With a program of this name ahead of the others."""
        self.put(f"tools/{name}", f"#!/bin/sh\n{text}\n")
        return Host(self.home, self.shell, f"{self.home / 'tools'}:{self.path}")

    @property
    def calls(self) -> list[str]:
        file = self.home / "calls"
        return file.read_text().splitlines() if file.exists() else []


def host_in(shell: str, home: Path, applets: Path | None) -> Host:
    """A host whose scripts run in `shell`; for busybox, with its tools alone."""
    if applets is not None:
        return Host(home, (f"{applets}/ash",), str(applets))
    return Host(home, (shell,), os.environ["PATH"])


__all__ = ["INSTALLER", "PROGRAM", "Host", "host_in", "words"]
