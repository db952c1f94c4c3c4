"""What is decided here about the nested way and jobs: options, host keys, and what ssh's and Slurm's words mean."""

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scupi_provision.errors import AuthenticationError, HostKeyError, InputError, UnreachableError
from scupi_provision.transport.base import Hop
from scupi_provision.transport.failures import NeedsJobError, job_needed
from scupi_provision.transport.host_keys import HostKeyJudge
from scupi_provision.transport.known_hosts import HostKey, fingerprint, parse_known_hosts
from scupi_provision.transport.nested import ssh_options
from scupi_provision.transport.onward_failures import onward_failed
from scupi_provision.transport.route import check_route

ADMIN = Hop("admin1", "121.48.227.161", 7092)
GPU = Hop("gpu2", "gpu2", user="2021141520001")


def _key(seed: int) -> HostKey:
    return HostKey("ssh-ed25519", b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + bytes([seed]) * 32)


OURS, OTHER = _key(1), _key(2)

ADOPT = "Access denied by pam_slurm_adopt: you have no active jobs on this node"
CHANGED = """\
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
The fingerprint for the ED25519 key sent by the remote host is
SHA256:uNiVztksCsDhcc0u9e8BrxTBEEsRbcIfj5n/Uv6dvkw.
Host key verification failed.
"""


@pytest.mark.parametrize(
    ("said", "error", "words"),
    [
        (f"{ADOPT}\nConnection closed by 10.0.0.2 port 22", NeedsJobError, "lets in only those who have a Slurm job"),
        (CHANGED, HostKeyError, "SHA256:uNiVztksCsDhcc0u9e8BrxTBEEsRbcIfj5n/Uv6dvkw"),
        ("No ED25519 host key is known for gpu2 and you have requested strict checking.", HostKeyError, "host key of"),
        ("2021141520001@gpu2: Permission denied (publickey,password).", AuthenticationError, "~/.ssh/id_rsa"),
        ("ssh: Could not resolve hostname gpu2: Name or service not known", UnreachableError, "not known on admin1"),
        ("ssh: connect to host gpu2 port 22: Connection refused", UnreachableError, "from admin1 on port 22"),
        ("ssh: connect to host gpu2 port 22: No route to host", UnreachableError, "does not answer admin1"),
        ("ssh: connect to host gpu2 port 22: Connection timed out", UnreachableError, "does not answer admin1"),
        ("Unable to negotiate with 10.0.0.2 port 22: no matching key exchange method", UnreachableError, "algorithm"),
        ("/bin/sh: 30: ssh: not found", UnreachableError, "has no ssh"),
        ("sh: line 1: ssh: command not found", UnreachableError, "has no ssh"),
        ("Connection closed by 10.0.0.2 port 22", UnreachableError, "Connection closed by 10.0.0.2"),
        ("", UnreachableError, "gave no reason"),
    ],
)
def test_what_ssh_says_becomes_an_error_that_names_both_hosts(said, error, words):
    raised = onward_failed(said, GPU, ADMIN, ["~/.ssh/id_rsa"])
    assert type(raised) is error
    text = f"{raised}\n{raised.diagnostic.detail}"
    assert words in text
    assert "gpu2" in text
    assert raised.diagnostic.hint


@given(st.text(max_size=300))
def test_untrusted_words_never_reach_a_terminal_as_they_are(said):
    """Neither escape sequences nor bidirectional overrides: everything is ASCII."""
    raised = onward_failed(said, GPU, ADMIN, [said])
    text = f"{raised}{raised.diagnostic.detail}".replace("\n", "")
    assert text.isascii()
    assert text.isprintable()


@pytest.mark.parametrize(
    "said",
    [
        ADOPT,
        "Access denied by pam_slurm_adopt: unable to determine source job",
        "Access denied by pam_slurm_adopt: adoption failure",
        "Access denied: user s1 (uid=61000) has no active jobs on this node.",
        "No Slurm jobs found on node.",
    ],
)
def test_each_refusal_of_slurms_modules_is_recognised_in_whatever_surrounds_it(said):
    wanted = job_needed(f"*** Welcome to gpu2 ***\n{said}\nConnection closed\n", GPU)
    assert wanted is not None
    assert said.rstrip(".") in wanted.diagnostic.detail
    assert job_needed("Permission denied (publickey).", GPU) is None


def _meaning(*options):
    """What OpenSSH's client makes of options, whatever a configuration file says: its lines."""
    argv = ["ssh", "-F", "/dev/stdin", "-G", *options, "--", "gpu2"]
    loose = "Host *\n  ForwardAgent yes\n  StrictHostKeyChecking no\n  RequestTTY force\n  RemoteCommand evil\n"
    loose += (
        "  LocalForward 1 127.0.0.1:2\n  ControlPersist yes\n  ForwardX11 yes\n  LogLevel QUIET\n  HostName other\n"
    )
    return subprocess.run(argv, input=loose, capture_output=True, text=True, check=True).stdout.splitlines()


def test_openssh_takes_the_options_and_they_win_over_a_configuration():
    hop = Hop("gpu2", "GPU2.cluster", 2222, "2021141520001", connect_timeout_s=7.4)
    meant = _meaning(*ssh_options(hop))
    assert {
        "batchmode yes",
        "forwardagent no",
        "forwardx11 no",
        "stricthostkeychecking true",
        "globalknownhostsfile /dev/null",
        "hostkeyalias gpu2.cluster",
        "clearallforwardings yes",
        "requesttty false",
        "controlpersist no",
        "connecttimeout 7",
        "serveraliveinterval 5",
        "serveralivecountmax 2",
        "loglevel INFO",
        "port 2222",
        "user 2021141520001",
        "hostname other",
    } <= set(meant)
    assert not [line for line in meant if line.startswith(("localforward", "remotecommand evil"))]


@given(st.text(max_size=40), st.text(max_size=20))
def test_no_address_or_user_that_a_route_accepts_is_an_option(address, user):
    hop = Hop("gpu2", address, user=user)
    try:
        check_route((ADMIN, hop))
    except InputError:
        return
    words = ssh_options(hop)
    assert not address.startswith("-")
    assert not user.startswith("-")
    flags = [word for word in words if word.startswith("-")]
    assert set(flags) <= {"-T", "-p", "-l", "-o"}


def _judge(tmp_path, text="", **changes):
    (tmp_path / "known_hosts").write_text(text)
    return HostKeyJudge.for_hop(Hop("gpu2", "gpu2", known_hosts=(tmp_path / "known_hosts",), **changes))


def _passes(judge, key):
    try:
        judge.check(key)
    except HostKeyError:
        return False
    return True


@pytest.mark.parametrize(
    ("text", "pins", "trusted"),
    [
        (f"gpu2 {OURS.text}\n", (), (OURS,)),
        (f"gpu* {OURS.text}\n!gpu2,* {OTHER.text}\n", (), (OURS,)),
        (f"gpu2 {OURS.text}\ngpu2 {OTHER.text}\n@revoked * {OTHER.text}\n", (), (OURS,)),
        (f"@cert-authority * {OURS.text}\n", (), ()),
        (f"gpu2 {OURS.text}\n", (OTHER.text,), (OTHER,)),
        (f"gpu2 {OURS.text}\ngpu2 {OTHER.text}\n", (fingerprint(OURS),), (OURS,)),
        ("", (fingerprint(OURS),), ()),
        (f"@revoked * {OURS.text}\n", (OURS.text,), ()),
    ],
)
def test_ssh_is_given_exactly_the_keys_that_the_judge_accepts(tmp_path, text, pins, trusted):
    judge = _judge(tmp_path, text, host_keys=pins)
    assert judge.trusted == trusted
    for key in (OURS, OTHER):
        assert judge.accepts(key) == _passes(judge, key)
    assert all(map(judge.accepts, trusted))


def test_a_key_known_under_the_bare_name_counts_for_another_port_as_openssh_has_it():
    known = parse_known_hosts(f"gpu2 {OURS.text}\n", "known_hosts")
    assert known.keys("gpu2", 2222) == (OURS,)
    assert known.keys("gpu3", 22) == ()
