"""Login shells that are in the way, as data: what is in which file, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass

MINE = "# my own lines\nexport EDITOR=vim\nalias ll='ls -l'\n"
"""Lines of the account's owner, which nothing may touch."""
MINE_IN_CSH = "# my own lines\nsetenv EDITOR vim\nalias ll ls -l\n"

PROFILE = b"""\
# what Debian gives every account, in fewer words
if [ -n "$BASH_VERSION" ] && [ -f "$HOME/.bashrc" ]; then
    . "$HOME/.bashrc"
fi
"""
"""Of every account whose shell is bash: its logins read ~/.bashrc, too."""


@dataclass(frozen=True)
class Hostile:
    """One account.

    Attributes:
        name: Also the account's.
        text: The start-up file, between lines of the owner's.
        explained: What the error must say (a regular expression); "" when the session must work.
        faulty: The line (part of it) that `rescue` must find; "" when nothing is wrong with the account.
        file: The start-up file.
        shell: The login shell.
        raw: Whether `text` is the whole file.
        way: How `rescue` is expected to come in: "exec", or another; "" when it cannot, "denied" when it then cannot
            look.
    """

    name: str
    text: str
    explained: str = ""
    faulty: str = ""
    file: str = ".bashrc"
    shell: str = "bash"
    raw: bool = False
    way: str = "exec"

    @property
    def content(self) -> bytes:
        """The file's bytes."""
        if self.raw:
            return self.text.encode("utf-8", "surrogateescape")
        mine = MINE_IN_CSH if "csh" in self.shell else MINE
        return (mine + self.text + "\n" + mine.replace("my own", "more of my own")).encode("utf-8", "surrogateescape")


_LATE = "have not ended after"
_ENDED = "ended the shell before"

HOSTILE = (
    # --- what prints ---
    Hostile("noise", "echo 'Welcome to the cluster!'", faulty="echo 'Welcome"),
    Hostile("unended-noise", "printf 'no line end'", faulty="printf"),
    Hostile("ansi", r"printf '\033[31mred\033[0m\033]0;title\007'", faulty="printf"),
    Hostile("nul", r"printf 'a\0b\0'", faulty="printf"),
    Hostile("forged", "echo 'aaaaaaaaaaaaaaaa hello'; echo '0123456789abcdef heard'", faulty="echo 'aaaa"),
    Hostile("motd", "for i in 1 2 3 4 5 6 7 8 9; do\n  seq 1 2000\ndone", faulty="for i in"),
    Hostile("yes", "yes", "print without end", "yes", way="terminal"),
    Hostile("stderr", "echo 'module: command not found' >&2; ls /nonexistent"),
    # --- what ends the shell ---
    Hostile("exit", "exit", _ENDED, "exit", way="sftp"),
    Hostile(
        "exit-words", "echo 'quota exceeded' >&2; exit 3", "(?s)exit status 3.*quota exceeded", "exit 3", way="sftp"
    ),
    Hostile("exec-missing", "exec /opt/zsh/bin/zsh", r"(?s)ended the shell.*/opt/zsh/bin/zsh", "exec /opt", way="sftp"),
    Hostile("exec-true", "exec true", _ENDED, "exec true", way="sftp"),
    Hostile("set-e", "set -e\nfalse", _ENDED, "set -e", way="sftp"),
    Hostile("set-n", "set -n", _ENDED, "set -n", way="terminal"),
    Hostile("kill", "kill -9 $$", _ENDED, "kill -9", way="sftp"),
    Hostile("no-terminal", "[ -t 0 ] || exit", _ENDED, "[ -t 0 ]", way="terminal"),
    Hostile(
        "not-interactive", "case $- in\n  *i*) ;;\n  *) exit 1 ;;\nesac", "exit status 1", "case $-", way="terminal"
    ),
    Hostile("debug-trap", "trap exit DEBUG", _ENDED, "trap exit", way="sftp"),
    Hostile("tiny-memory", "ulimit -v 100", _ENDED, "ulimit -v", way="sftp"),
    # --- what does not end ---
    Hostile("sleep", "sleep 60", _LATE, "sleep 60", way="terminal"),
    Hostile("loop", "while :; do :; done", _LATE, "while", way="terminal"),
    Hostile("stop", "kill -STOP $$", _LATE, "kill -STOP", way="sftp"),
    Hostile("wait-child", "sleep 60 & wait", _LATE, "sleep 60", way="terminal"),
    # --- what reads ---
    Hostile("read", "read -r answer", faulty="read -r"),
    Hostile("read-three", "for i in 1 2 3; do\n  read -r answer\ndone", faulty="for i in"),
    Hostile("head", "head -n 1 >/dev/null", faulty="head"),
    Hostile("cat-for-a-while", "timeout 1 cat >/dev/null", faulty="timeout 1 cat"),
    Hostile("cat", "cat >/dev/null", _LATE, "cat", way="terminal"),
    # --- what changes the streams ---
    Hostile("stdout-away", "exec >/dev/null", _LATE + "|ended", "exec >", way="sftp"),
    Hostile("stdout-closed", "exec >&-", _ENDED, "exec >&-", way="sftp"),
    Hostile("stdin-away", "exec </dev/null", "closed standard input", "exec <", way="sftp"),
    Hostile("stdin-closed", "exec <&-", "closed standard input|ended", "exec <&-", way="sftp"),
    Hostile("stderr-closed", "exec 2>&-"),
    Hostile("joined", "exec 2>&1; ls /nonexistent", faulty="exec 2>&1"),
    # --- other shells ---
    Hostile("exec-bash", "exec bash --norc", faulty="exec bash"),
    Hostile("exec-zsh", "exec zsh -f", faulty="exec zsh"),
    Hostile("tmux", "exec tmux-that-is-missing attach", _ENDED, "exec tmux", way="sftp"),
    # --- what shells inherit ---
    Hostile("path-empty", "export PATH=", faulty="export PATH="),
    Hostile("path-wrong", "export PATH=/home/me/git/bin:", faulty="export PATH=/home"),
    Hostile("readonly", "readonly PATH LC_ALL IFS P_PATH P_LANG P_LENGTH p_sum"),
    Hostile("options", "set -u -x -v; export SHELLOPTS"),
    Hostile("functions", "cd() { echo cd; }; printf() { echo printf; }; export -f cd printf; alias exec=echo"),
    Hostile("traps", "trap 'echo bye' EXIT; trap '' PIPE TERM HUP", faulty="echo bye"),
    Hostile("environment", "export IFS=/ CDPATH=/ ENV=/nonexistent BASH_ENV=/nonexistent TMOUT=1 LC_ALL=xx_XX"),
    Hostile("preload", "export LD_PRELOAD=/nonexistent.so"),
    Hostile("umask", "umask 777; cd /; unset HOME"),
    Hostile("no-files", "ulimit -f 0", way="denied"),
    Hostile("stty", "stty erase ^H; tput colors; clear"),
    Hostile("child", "(sleep 60; echo late) &"),
    Hostile(
        "agent", "eval \"$(printf 'SSH_AUTH_SOCK=/tmp/none; export SSH_AUTH_SOCK; echo Agent pid 5;')\"", faulty="eval"
    ),
    # --- broken text ---
    Hostile("syntax", "export PATH=/opt/my tools (new)/bin:$PATH", faulty="export PATH=/opt/my"),
    Hostile("unclosed-quote", 'export GREETING="hello\nexport OTHER=1', faulty="GREETING"),
    Hostile("unclosed-if", "if [ -d /opt/cuda ]; then\n  export CUDA=/opt/cuda\n", faulty="if [ -d"),
    Hostile("crlf", "export A=1\r\nif true; then\r\n  export B=2\r\nfi\r\n", faulty="export A", raw=True),
    Hostile("bom", "\ufeff# comment\nexport A=1\n", raw=True),
    # --- other login shells ---
    Hostile("csh", "echo hello from csh", faulty="echo hello", file=".cshrc", shell="tcsh"),
    Hostile("csh-if", "if ( 1 ) then\n  echo from a block\nendif", faulty="if ( 1 )", file=".cshrc", shell="tcsh"),
    Hostile("csh-exec", "exec true", _ENDED, "exec true", file=".tcshrc", shell="tcsh", way="sftp"),
    Hostile("zsh", "print hello from zsh", faulty="print hello", file=".zshenv", shell="zsh"),
    Hostile("zsh-exit", "exit 4", "exit status 4", "exit 4", file=".zshenv", shell="zsh", way="sftp"),
    Hostile("ksh", "", file=".kshrc", shell="mksh"),
    Hostile("rbash", "", "restricted", file=".bashrc", shell="rbash", way=""),
    Hostile("nologin", "", "lets nobody in", shell="/usr/sbin/nologin", way=""),
    Hostile("false", "", _ENDED, shell="/bin/false", way=""),
    # --- ~/.ssh/rc ---
    Hostile("ssh-rc", "echo from rc", faulty="echo from rc", file=".ssh/rc"),
)
"""Every one works or is explained."""
