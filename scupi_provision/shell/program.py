"""Programs for the host: the bootstrap that receives them, the frame they travel in, and reading many paths at once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib import resources

from scupi_provision.shell.words import glob_word, word, words

_RUNTIME = (
    "runtime.sh",
    "steps.sh",
    "jobs.sh",
    "async.sh",
    "bring.sh",
    "aside.sh",
    "lock.sh",
    "facts.sh",
    "system_facts.sh",
)
BATCH = 400
"""Paths per call of stat, sha256sum or cat: far below every ARG_MAX (at least 128 KiB) for paths of usual length."""

# Started by the account's login shell, whatever that is (csh too: no single quote, no exclamation mark, one line).
# It says hello, then reads `LENGTH SHA256`, then exactly that many bytes, checks them, and only then evaluates them: a
# cut stream never runs a prefix. GNU dd reads the block at once; without `iflag=fullblock` it goes byte by byte.
# Until the first program has come, lines that are none are skipped: see `preface`. One that says `lost` comes behind
# that program: who reads it first has missed the program, because a start-up file has read a part of it. (The watchdog
# of a program that runs reads on, too, and may be killed in the middle of that word.)
# `printf` is no builtin in mksh: there a large text would not fit on a command line, so `p_put` says `print`.
# TMOUT would end the wait for the next program where /bin/sh is bash, and options may be inherited by SHELLOPTS there.
_BOOTSTRAP = """
set +euvxfC; P_PATH=${PATH-} P_LANG=${LANG-} P_UMASK=$(umask);
unset ENV BASH_ENV CDPATH IFS GREP_OPTIONS POSIXLY_CORRECT TMOUT; LC_ALL=C;
unset -f base64 cat cd chmod cp dd echo id kill ln mkdir mv printf read readlink rm sha256sum sort stat stty sync tail
touch tr umask uname wait 2>/dev/null;
PATH=/usr/bin:/bin:/usr/local/bin${PATH:+:$PATH};
export PATH LC_ALL; ( true >&2 ) || exec 2>/dev/null; exec 3>&1 4<&0 1>&2;
if [ -t 4 ]; then stty raw -echo <&4; fi;
echo TOKEN hello >&3 || exit 97; P_HEARD=;
[ -n "${HOME-}" ] || { eval HOME=~$(id -un); export HOME; }; cd;
if printf x | dd bs=1 count=1 iflag=fullblock >/dev/null 2>&1; then P_FULL=fullblock; else P_FULL=; fi;
case ${KSH_VERSION-} in "") p_put() { printf %s "$1"; };; *) p_put() { print -rn -- "$1"; };; esac;
p_take() { if [ -n "$P_FULL" ]; then dd bs="$1" count=1 iflag=fullblock 2>/dev/null;
else dd bs=1 count="$1" 2>/dev/null; fi; };
p_eaten() { echo TOKEN eaten >&3; echo "provision: the program arrived damaged" >&2; exit 97; };
while read -r p_length p_sum <&4; do
case $P_HEARD$p_length in lost) p_eaten;; ""|y|ylost|yost|yst|yt) continue;; esac;
if [ ${#p_sum} = 64 ] && [ "$p_length" -gt 0 ] 2>/dev/null; then :; elif [ -n "$P_HEARD" ]; then p_eaten;
else continue; fi;
P_TEXT=$(p_take "$p_length" <&4; echo .); P_TEXT=${P_TEXT%.};
p_got=$(p_put "$P_TEXT" | sha256sum);
[ "${p_got%% *}" = "$p_sum" ] || p_eaten;
[ -n "$P_HEARD" ] || { P_HEARD=y; echo TOKEN heard >&3; };
eval "$P_TEXT"; done; [ -n "$P_HEARD" ] || echo TOKEN deaf >&3; p_gone 2>/dev/null; exit 0
"""
_SACRIFICE = 16
"""Empty lines ahead of everything, for start-up files that read a line or two (`read answer`)."""


def bootstrap(token: str) -> str:
    """The command that opens a session on a host.

    Args:
        token: Letters and digits that nobody can foresee. Each of the bootstrap's own words to the controller follows
            it, on a line: `hello` (it runs), then one of `heard` (the first program is whole and begins), `eaten` (a
            part of it is missing) and `deaf` (there is nothing to read).
    """
    return "exec /bin/sh -c '" + " ".join(_BOOTSTRAP.replace("TOKEN", token).split("\n")).strip() + "'"


def preface(token: str) -> bytes:
    """What goes ahead of the first program: lines to be eaten, then the bootstrap once more.

    A start-up file that ends in `exec zsh` leaves a shell that takes its commands from us: its first command is this.
    """
    return b"\n" * _SACRIFICE + bootstrap(token).encode("ascii") + b"\n"


LOST = b"lost\n"
"""What is sent when the bootstrap has said hello and then nothing."""


@lru_cache
def _source(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def shell_source(name: str) -> str:
    """The text of one of this room's shell files without comment lines (they would only cost bytes on the wire)."""
    lines = _source(name).splitlines()
    return "\n".join(line for line in lines if line.strip() and not line.lstrip().startswith("#")) + "\n"


def frame(program: str, blobs: Iterable[bytes] = ()) -> bytes:
    """`program` as it travels: length, hash, text, then the blobs that it receives by itself, in order."""
    body = program.encode("utf-8", "surrogateescape")
    return b"%d %s\n%s%s" % (len(body), hashlib.sha256(body).hexdigest().encode(), body, b"".join(blobs))


def prelude(nonce: str, run_id: str) -> str:
    """Defines the runtime; goes ahead of the first program of a session."""
    names = f"P_NONCE={word(nonce)} P_RUNID={word(run_id)}\n"
    return names + "".join(map(shell_source, _RUNTIME))


def end() -> str:
    """Closes a program: the count of events lets the reader tell a cut stream from a finished one."""
    return 'p_emit end "$P_SEQ"\n'


def receive(owner: str, files: Sequence[tuple[str, int, int]]) -> str:
    """Takes large files that follow the program, under the lock, into `~/.provision/brought`.

    Args:
        owner: As for `compile.Compiler`.
        files: In the order in which they follow: the SHA-256 of each, which is also its name there; how many bytes of
            it are on the host already; and how many follow.
    """
    receive = "".join(f"p_receive {sha256} {begin} {left}\n" for sha256, begin, left in files)
    return (
        "p_open_run\n"
        f'if [ -z "$P_STOP" ] && p_lock {word(owner)}; then\n{receive}'
        f"else p_pour {sum(left for _, _, left in files)} >/dev/null; fi\np_unlock\np_close_run\n{end()}"
    )


def read_facts() -> str:
    """Asks for the facts."""
    return "p_facts\n"


def gpu_use() -> str:
    """Asks who uses which GPU: lines of nvidia-smi and owners of processes, as facts (`gpu.node` understands them)."""
    return shell_source("gpus.sh") + "p_gpu_use\n"


def batches(paths: Sequence[str]) -> list[tuple[str, ...]]:
    """`paths` in the groups in which one program reads them.

    A path with a line break is read alone: the tools it is given to print names line by line.
    """
    groups: list[tuple[str, ...]] = []
    group: list[str] = []
    for path in paths:
        if "\n" in path:
            groups.append((path,))
            continue
        group.append(path)
        if len(group) == BATCH:
            groups.append(tuple(group))
            group = []
    return [*groups, tuple(group)] if group else groups


def read_entries(paths: Sequence[str]) -> str:
    """Asks what is at each path; one EntriesReply per batch of `batches(paths)`."""
    return "".join(f"p_entries {words(*group)}\n" for group in batches(paths))


def read_contents(paths: Sequence[str]) -> str:
    """Asks for the bytes of one batch of readable files; one ContentsReply."""
    return f"p_contents {words(*paths)}\n"


def read_names(pattern: str) -> str:
    """Asks what a pattern matches, `*` being the only wildcard; one NamesReply. Hidden names need a hidden pattern."""
    return f"p_names {glob_word(pattern)}\n"
