"""The programs of modules (wait_for, expect's answers, uri, git, cron, script) in every shell."""

from __future__ import annotations

import http.server
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from scupi_provision.modules.expect_responses import _told
from scupi_provision.modules.registry import MODULES
from scupi_provision.modules.web.arguments import RequestArgs
from scupi_provision.modules.web.request import Request, told
from scupi_provision.shell.scripts import script

Program = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture(params=["dash", "bash", "mksh", "busybox"])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Program:
    """Runs one of our shell files in one shell, with what it may find on its PATH ahead of the system's."""
    shell = [shutil.which(request.param) or request.param, *(["sh"] if request.param == "busybox" else [])]
    (tmp_path / "bin").mkdir()

    def program(file: str, /, stdin: bytes = b"", **settings: str) -> subprocess.CompletedProcess[bytes]:
        words = script(file, **settings)[1:]
        environment = {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "HOME": str(tmp_path)}
        return subprocess.run(
            [*shell, *words], input=stdin, capture_output=True, env=environment, timeout=60, check=False
        )

    return program


WAIT = {
    "goal": "path", "state": "started", "host": "127.0.0.1", "port": "", "path": "", "pattern": "", "flags": "",
    "delay": "0", "rest": "1", "limit": "2", "connect": "2", "hex_port": "0001", "states": "01", "excluded": "",
    "local_addresses": "",
}  # fmt: skip


def test_a_file_that_is_there_is_not_waited_for(run, tmp_path):
    (tmp_path / "f").write_text("a\nport 80 is up\n")
    done = run("wait_for.sh", **{**WAIT, "path": str(tmp_path / "f"), "pattern": "port [0-9]+"})
    assert (done.returncode, done.stdout) == (0, b"elapsed 0\na\nport 80 is up\n")


def test_what_does_not_come_is_given_up(run, tmp_path):
    done = run("wait_for.sh", **{**WAIT, "path": str(tmp_path / "none"), "limit": "1"})
    assert done.returncode == 1
    assert done.stdout.startswith(b"elapsed ")


@pytest.mark.parametrize(("state", "status"), [("stopped", 0), ("drained", 0), ("started", 1)])
def test_a_port_at_which_nobody_listens(run, state, status):
    settings = {**WAIT, "goal": "port", "port": "1", "state": state, "limit": "1"}
    assert run("wait_for.sh", **settings).returncode == status


def test_questions_are_answered_in_turn(run):
    """Each question once, in whatever case; an answer is not shown; the program's exit status is told."""
    ask = 'sh -c \'printf "Name: "; read x; printf "PASSWORD: "; read y; echo hello $x $y; exit 3\''
    stdin = _told({r"Na\w+:": "bob", "(?i)password": ["s3", "other"]})
    done = run("respond.sh", stdin, command=ask, where="/", limit="20", echo="")
    assert (done.returncode, done.stdout) == (3, b"Name: PASSWORD: hello bob s3\r\n")


def test_silence_is_given_up(run):
    done = run("respond.sh", _told({"never": "x"}), command="sleep 30", where="", limit="1", echo="")
    assert done.returncode == 124


def test_a_question_without_an_answer_left(run):
    ask = 'sh -c \'printf "a? "; read x; printf "a? "; read y; sleep 9\''
    done = run("respond.sh", _told({r"a\?": ["one"]}), command=ask, where="", limit="20", echo="")
    assert done.returncode == 123


def test_a_script_has_its_name_its_words_and_leaves_nothing(run, tmp_path):
    text = b'#!/bin/sh\necho "${0##*/} [$1] $#"; echo "$0" >"$HOME/where"; pwd; exit 5\n'
    done = run("script_file.sh", text, name="s.sh", arguments="'a b' c", interpreter="", where="/")
    assert (done.returncode, done.stdout) == (5, b"s.sh [a b] 2\n/\n")
    assert not Path((tmp_path / "where").read_text().strip()).exists()


# --- uri ------------------------------------------------------------------------------------------------------------


class _Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/jump":
            self._answer(302, b"", {"Location": "/to"})
        elif self.path == "/none":
            self._answer(404, b"nothing")
        else:
            self._answer(200, f"{self.path} {self.headers['X-Token']} {self.headers['Authorization']}\n".encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(201, b"got " + body + b" " + str(self.headers["Content-Type"]).encode())

    def _answer(self, code: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(code)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def server() -> Iterator[str]:
    """A server on loopback that says what it was asked."""
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{made.server_port}"
    made.shutdown()
    made.server_close()
    thread.join()


NOTHING = dict.fromkeys(
    ("source", "dest", "mode", "since", "simple", "algorithm", "digest", "sums", "named", "quiet"), ""
)


@pytest.fixture(params=["curl", "wget"])
def ask(request: pytest.FixtureRequest, run: Program, tmp_path: Path) -> Program:
    """Makes a request with one of the programs that can."""
    if request.param == "wget":  # a curl that is none is passed over only when it is not there
        tools = tmp_path / "only"
        tools.mkdir()
        for folder in os.environ["PATH"].split(":"):
            for tool in Path(folder).iterdir() if Path(folder).is_dir() else ():
                if tool.name != "curl" and not (tools / tool.name).exists():
                    (tools / tool.name).symlink_to(tool)

    def asking(
        request_: Request, args: RequestArgs | None = None, **settings: str
    ) -> subprocess.CompletedProcess[bytes]:
        before = os.environ["PATH"]
        if request.param == "wget":
            os.environ["PATH"] = str(tmp_path / "only")
        try:
            stdin = told(request_, args or RequestArgs())
            return run("uri.sh", stdin, statuses=" 200 ", **{**NOTHING, **settings})
        finally:
            os.environ["PATH"] = before

    return asking


def answered(done: subprocess.CompletedProcess[bytes], args: dict[str, object]) -> dict[str, object]:
    from scupi_provision.modules.contract import Result
    from scupi_provision.shell.replies import RunReply

    uri = MODULES["uri"]
    reply = RunReply(0, done.returncode, done.stdout, done.stderr, "")
    result = uri.finish(uri.args.model_validate({"return_content": True, **args}), Result(), (reply,))
    return {**result.values, "failed": result.failed, "changed": result.changed}


def test_secrets_and_headers_reach_the_server(ask, server):
    args = RequestArgs(url_username="me", url_password='s"\\ 3', force_basic_auth=True)
    done = ask(Request(f"{server}/x", headers={"X-Token": 'a "b"'}), args)
    values = answered(done, {"url": f"{server}/x"})
    assert values["content"] == '/x a "b" Basic bWU6cyJcIDM=\n'
    assert (values["status"], values["failed"], values["redirected"]) == (200, False, False)


def test_a_body_reaches_the_server(ask, server):
    done = ask(Request(f"{server}/x", "POST", {"Content-Type": "application/json"}, b'{"a": "\xc3\xa9"}'))
    values = answered(done, {"url": f"{server}/x", "status_code": [201]})
    assert values["content"] == 'got {"a": "é"} application/json'


def test_redirections_are_followed_or_not(ask, server):
    done = ask(Request(f"{server}/jump"))
    values = answered(done, {"url": f"{server}/jump"})
    # wget tells an address as the server has it
    assert values["url"] in {f"{server}/to", "/to"}, done
    assert (values["status"], values["redirected"]) == (200, True), done
    assert answered(ask(Request(f"{server}/jump", follows=False)), {"url": f"{server}/jump"})["status"] == 302


def test_an_answer_is_kept_once(ask, server, tmp_path):
    dest = str(tmp_path / "kept")
    first = answered(ask(Request(f"{server}/f"), dest=dest, mode="600"), {"url": f"{server}/f", "dest": dest})
    again = answered(ask(Request(f"{server}/f"), dest=dest, mode="600"), {"url": f"{server}/f", "dest": dest})
    assert (first["changed"], again["changed"]) == (True, False)
    assert Path(dest).read_text() == "/f None None\n"
    assert Path(dest).stat().st_mode & 0o777 == 0o600


def test_a_wrong_sum_keeps_nothing(ask, server, tmp_path):
    done = ask(Request(f"{server}/f"), dest=str(tmp_path / "kept"), algorithm="md5", digest="0" * 32)
    assert done.returncode == 22
    assert b"did not match" in done.stderr
    assert not (tmp_path / "kept").exists()


def test_what_is_not_there_and_nobody_there(ask, server):
    missing = answered(ask(Request(f"{server}/none")), {"url": f"{server}/none"})
    assert (missing["status"], missing["failed"], missing["content"]) == (404, True, "nothing")
    nobody = answered(ask(Request("http://127.0.0.1:1/")), {"url": "http://127.0.0.1:1/"})
    assert (nobody["status"], nobody["failed"]) == (-1, True)


# --- cron -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def crontab(run: Program, tmp_path: Path) -> Path:
    """A `crontab` as the system's one is used, which keeps the account's entries in a file."""
    table = tmp_path / "table"
    program = tmp_path / "bin/crontab"
    program.write_text(
        f'#!/bin/sh\ncase $1 in -l) cat "{table}" ;; -r) rm -f "{table}" ;; *) cat "$1" >"{table}" ;; esac\n'
    )
    program.chmod(0o755)
    return table


CRON = {"kind": "job", "name": "backup", "line": "0 1 * * * x", "after": "", "before": "", "backup": ""}


def test_a_job_comes_once_changes_and_goes(run, crontab):
    crontab.write_text("# mine\n5 5 * * * other\n")
    assert run("cron.sh", **CRON).stdout == b"changed\n"
    assert run("cron.sh", **CRON).stdout == b"same\n"
    assert crontab.read_text() == "# mine\n5 5 * * * other\n#Ansible: backup\n0 1 * * * x\n"
    assert run("cron.sh", **{**CRON, "line": "@daily y"}).stdout == b"changed\n"
    assert crontab.read_text().endswith("#Ansible: backup\n@daily y\n")
    assert run("cron.sh", **{**CRON, "line": ""}).stdout == b"changed\n"
    assert crontab.read_text() == "# mine\n5 5 * * * other\n"


def test_variables_stand_at_the_top_or_beside_another(run, crontab):
    crontab.write_text("A=1\n5 5 * * * other\n")
    run("cron.sh", **{**CRON, "kind": "env", "name": "B", "line": 'B="2"'})
    run("cron.sh", **{**CRON, "kind": "env", "name": "C", "line": 'C="3"', "after": "A"})
    assert crontab.read_text() == 'B="2"\nA=1\nC="3"\n5 5 * * * other\n'
    missing = run("cron.sh", **{**CRON, "kind": "env", "name": "D", "line": "D=", "before": "X"})
    assert (missing.returncode, missing.stderr) == (1, b"Variable named 'X' not found.\n")


def test_an_account_without_a_crontab(run, crontab):
    assert run("cron.sh", **{**CRON, "line": ""}).stdout == b"same\n"
    assert run("cron.sh", **CRON).stdout == b"changed\n"


GIT = {
    "git": "git", "version": "HEAD", "remote": "origin", "clone": "yes", "update": "yes", "recursive": "yes",
    "refspec": "", "reference": "", "separate": "", "archive": "", "prefix": "", "ssh_options": "", "key_file": "",
    "signers": "", "bare": "", "track": "", "single": "", "verify": "", "force": "",
}  # fmt: skip


@pytest.mark.parametrize("depth", ["", "1"])
def test_a_repository_without_tags_is_cloned_and_brought_up_to_date(run, tmp_path, depth):
    upstream = tmp_path / "upstream"
    commit = ["git", "-c", "user.name=a", "-c", "user.email=a@localhost", "commit", "-q", "--allow-empty", "-m", "x"]
    subprocess.run(["git", "init", "-q", str(upstream)], check=True)
    subprocess.run(commit, cwd=upstream, check=True)
    settings = {**GIT, "repo": f"file://{upstream}", "dest": str(tmp_path / "clone"), "depth": depth}
    first = run("git.sh", **settings)
    assert first.returncode == 0, first.stderr
    again = run("git.sh", **settings)
    assert again.returncode == 0, again.stderr
    before, after = (line.split()[1] for line in again.stdout.splitlines())
    assert before == after
    subprocess.run(commit, cwd=upstream, check=True)
    later = run("git.sh", **settings)
    assert later.stdout.splitlines()[0].split()[1] == before
    assert later.stdout.splitlines()[1].split()[1] != before
