"""What a node tells the doctor, in every shell that a cluster may have, with GNU coreutils and with busybox."""

from __future__ import annotations

import http.server
import os
import socket
import threading

import pytest
from scupi_provision.shell import looking


@pytest.fixture
def ask(session):
    """`ask(program)`: the facts that it tells."""
    session.ask(looking.define())
    return lambda question: {reply.name: reply.value for reply in session.ask(question)}


@pytest.fixture
def web():
    """The address of a server on loopback."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/folder/"
        server.shutdown()
        thread.join(5)


def _closed():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def test_permissions_and_keys(ask, home):
    (home / ".ssh").mkdir(mode=0o700)
    (home / ".ssh/authorized_keys").write_text("ssh-ed25519 AAAAC3abc== me\nno-pty ssh-rsa AAAAB3xyz you")
    (home / ".ssh/authorized_keys").chmod(0o640)
    home.chmod(0o775)
    told = ask(looking.look((), ("AAAAC3abc==", "AAAAC3abd=="), ()))
    uid = os.getuid()
    assert (told["mode_home"], told["mode_ssh"], told["mode_keys"]) == (f"775 {uid}", f"700 {uid}", f"640 {uid}")
    assert (told["authorized_0"], told["authorized_1"]) == ("yes", "no")


def test_space_of_the_home(ask, home):
    size, blocks, free, inodes, _ = map(int, ask(looking.look((), (), ()))["space"].split(" ", 5)[:5])
    seen = os.statvfs(home)
    assert (size * blocks, inodes) == (seen.f_frsize * seen.f_blocks, seen.f_files)
    assert abs(size * free - seen.f_frsize * seen.f_bavail) < 2**30


def test_lines_that_set_path(ask, home):
    (home / ".bashrc").write_text("echo 'hi'\nexport PATH=\"/a b/bin:$PATH\" # it's mine\n\\PATH=*`x`\n  PATH=/last")
    (home / ".profile").write_text("MANPATH=/x\n")
    told = ask(looking.look((), (), ()))
    lines = [told[name] for name in sorted(told) if name.startswith("path_line_")]
    assert lines == [
        '.bashrc 2 export PATH="/a b/bin:$PATH" # it\'s mine',
        ".bashrc 3 \\PATH=*`x`",
        ".bashrc 4   PATH=/last",
        ".profile 1 MANPATH=/x",
    ]
    assert "bashrc_syntax" not in told


def test_a_syntax_error(ask, home):
    (home / ".bashrc").write_text("if true; then\n")
    assert "syntax error" in ask(looking.look((), (), ()))["bashrc_syntax"]


def test_names(ask):
    told = ask(looking.look(("localhost", "no-such-host.invalid"), (), ()))
    assert told["resolved_0"] in {"127.0.0.1", "::1"}
    assert told["resolved_1"] == "-"


def test_what_answers(ask, web):
    told = ask(looking.look((), (), (web, _closed(), "https" + web.removeprefix("http"))))
    assert [told[f"reach_{number}"] for number in range(3)] == ["yes", "no", "tls"]


def test_what_provision_has_there(ask, home):
    ours = home / ".provision"
    (ours / "gen/3").mkdir(parents=True)
    (ours / "current").symlink_to("gen/3")
    told = ask(looking.look((), (), ()))
    assert told["current"] == "gen/3"
    assert "current_reads" not in told
    assert told["runs"] == "0 0"
    (ours / "gen/3/env.sh").touch()
    (ours / "runs/old").mkdir(parents=True)
    assert ask(looking.look((), (), ()))["current_reads"] == "yes"
    assert ask(looking.look((), (), ()))["runs"] == "1 1"


@pytest.mark.parametrize(("node", "state"), [("elsewhere", "elsewhere"), ("", "dead")])
def test_a_lock(ask, home, node, state):
    here = node or ask(looking.look((), (), ()))["nodename"]
    (home / ".provision").mkdir()
    (home / ".provision/lock").write_text(f"{here} other-boot 4711 me@laptop (provision apply, run 1)\n")
    assert ask(looking.look((), (), ()))["lock"] == f"{state} {here} other-boot 4711 me@laptop (provision apply, run 1)"


def test_a_mark_is_found_and_leaves_nothing(ask, home):
    put = ask(looking.mark("doctor-1"))["mark"]
    assert put == "yes made"
    assert ask(looking.find_mark("doctor-1", 0))["marked"] == "0"
    assert ask(looking.find_mark("doctor-2", 0))["marked"] == "-"
    ask(looking.unmark("doctor-1", made_folder=True))
    assert list(home.iterdir()) == []


def test_a_mark_leaves_a_folder_that_was_there(ask, home):
    (home / ".provision").mkdir()
    assert ask(looking.mark("doctor-1"))["mark"] == "yes"
    ask(looking.unmark("doctor-1", made_folder=False))
    assert list((home / ".provision").iterdir()) == []


def test_a_mark_that_comes_late_is_waited_for(ask, home):
    (home / ".provision").mkdir()
    threading.Timer(1.2, lambda: (home / ".provision/late").write_text("x\n")).start()
    assert int(ask(looking.find_mark("late", 9))["marked"]) >= 1


def test_a_mark_that_cannot_be_put(ask, home):
    (home / ".provision").write_text("a file\n")
    assert ask(looking.mark("doctor-1"))["mark"] == "no"


def test_libraries_and_programs(ask):
    told = ask(looking.libraries())
    assert "3.4.25" in told["libstdcxx"].split()
    assert told["has_bash"] == told["has_tar"] == "yes"


def test_the_clock(ask):
    assert ask(looking.clock())["clock"].isdigit()
