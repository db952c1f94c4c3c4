"""Logins that need a person: codes, passwords, passphrases. Each is asked once, by the hop that wants it."""

import threading

import asyncssh
import paramiko
import pytest
from loopback import SshServer
from questioning import QuestioningServer
from scupi_provision.errors import AuthenticationError, InputError
from scupi_provision.transport import user_keys
from scupi_provision.transport.shared_hops import SharedHops
from scupi_provision.transport.ssh import connect
from scupi_provision.values import Secret

CODE = [[("Verification code: ", False)]]


class Scripted:
    """A person with prepared answers, who remembers what was asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    def secret(self, hop, question, *, echo):
        self.asked.append((hop.name, question, echo))
        return self.answers.pop(0)

    def trusts(self, _hop, _offered):
        return False


@pytest.fixture
def log_in(hop, known_hosts, keys):
    """`log_in(server, person, **changes to the hop)`: connects and closes again."""

    def work(server, person=None, **changes):
        route = (hop(server.port, known_hosts((server.port, server.key)), **changes),)
        connect(route, person=person).close()

    return work


@pytest.fixture
def asking(keys):
    """`asking(rounds, answers, **options)`: a server that wants the key and then those answers."""
    servers = []

    def start(rounds, answers, **options):
        server = QuestioningServer(keys.host, keys.user, rounds, answers, **options)
        servers.append(server.__enter__())
        return server

    yield start
    for server in servers:
        server.__exit__()


def test_a_code_after_the_key_is_asked_once_and_the_hop_is_named(asking, log_in):
    person = Scripted("123456")
    log_in(asking(CODE, [["123456"]]), person)
    assert person.asked == [("admin1", "Verification code:", False)]


def test_several_questions_in_several_rounds_keep_their_order_and_echo(asking, log_in):
    rounds = [[("Name of your pet: ", True), ("Its PIN: ", False)], [("Code: ", False)]]
    person = Scripted("Rex", "42", "007")
    log_in(asking(rounds, [["Rex", "42"], ["007"]]), person)
    assert person.asked == [
        ("admin1", "Name of your pet:", True),
        ("admin1", "Its PIN:", False),
        ("admin1", "Code:", False),
    ]


def test_instructions_stand_before_the_first_question_only(asking, log_in):
    person = Scripted("1", "2")
    log_in(asking([[("A: ", False), ("B: ", False)]], [["1", "2"]], heading=("MFA", "Look at your phone")), person)
    assert [question for _, question, _ in person.asked] == ["MFA\nLook at your phone\nA:", "B:"]


def test_a_round_without_questions_is_answered_by_nobody(asking, log_in):
    """Duo and others send one such to end with."""
    person = Scripted("1")
    log_in(asking([[], [("A: ", False)], []], [[], ["1"], []]), person)
    assert len(person.asked) == 1


def test_a_wrong_answer_is_asked_again(asking, log_in):
    person = Scripted("1", "2", "123456")
    log_in(asking(CODE, [["123456"]]), person)
    assert [question for _, question, _ in person.asked] == [
        "Verification code:",
        "that was not accepted; Verification code:",
        "that was not accepted; Verification code:",
    ]


def test_after_three_wrong_answers_it_is_over(asking, log_in):
    person = Scripted("1", "2", "3", "123456")
    with pytest.raises(AuthenticationError) as caught:
        log_in(asking(CODE, [["123456"]]), person)
    assert len(person.asked) == 3
    assert "server wants in addition: keyboard-interactive" in caught.value.diagnostic.detail
    assert not {"1", "2", "3"} & set(str(caught.value).split())


def test_with_nobody_there_the_error_says_who_asks_what(asking, log_in):
    with pytest.raises(AuthenticationError) as caught:
        log_in(asking(CODE, [["123456"]]))
    assert caught.value.diagnostic.summary.startswith("admin1 asks for something that only you know")
    assert "Verification code:" in caught.value.diagnostic.detail
    assert "terminal" in caught.value.diagnostic.hint


def test_a_host_that_takes_the_code_before_the_key(asking, log_in):
    person = Scripted("123456")
    log_in(asking(CODE, [["123456"]], key_last=True), person)
    assert len(person.asked) == 1


def test_a_password_is_asked_where_nothing_else_is_offered(keys, log_in):
    with SshServer([keys.host], [], password="letmein", kbdint_auth=False) as server:
        server.key = keys.host
        person = Scripted("wrong", "letmein")
        log_in(server, person, key_files=(), use_agent=True)
    assert person.asked == [
        ("admin1", "Password of student:", False),
        ("admin1", "that was not accepted; Password of student:", False),
    ]


def test_a_given_password_is_tried_before_a_person_is_asked(keys, log_in):
    with SshServer([keys.host], [], password="letmein") as server:
        server.key = keys.host
        person = Scripted("letmein")
        log_in(server, person, key_files=(), password=Secret("old"))
    assert len(person.asked) == 1


@pytest.mark.parametrize("person", [None, Scripted("x")])
def test_a_rejected_key_is_told_and_no_password_asked(keys, log_in, person):
    with SshServer([keys.host], [keys.stranger], password="x") as server:
        server.key = keys.host
        with pytest.raises(AuthenticationError) as caught:
            log_in(server, person)
    assert "does not let user student in" in caught.value.diagnostic.summary
    assert "publickey" in caught.value.diagnostic.detail


def test_a_person_may_take_longer_than_a_host(asking, log_in, monkeypatch):
    """The time limit is for the host; a phone has to be found first."""
    monkeypatch.setattr("scupi_provision.transport.ssh_hop._AUTHENTICATION_S", 0.5)

    class Slow(Scripted):
        def secret(self, hop, question, *, echo):
            threading.Event().wait(1.0)
            return super().secret(hop, question, echo=echo)

    log_in(asking(CODE, [["123456"]]), Slow("123456"))


def test_a_host_that_never_stops_asking_is_given_up(asking, log_in):
    with pytest.raises(AuthenticationError):
        log_in(asking([[]] * 200, [[]] * 200), Scripted())


def test_an_answer_that_nobody_gives_ends_the_login(asking, log_in):
    class Gone(Scripted):
        def secret(self, hop, _question, *, echo):
            raise AuthenticationError(f"{hop.name} asked, and there was no answer")

    with pytest.raises(AuthenticationError, match="there was no answer"):
        log_in(asking(CODE, [["123456"]]), Gone())


def test_one_code_is_enough_for_all_routes_through_a_hop(asking, keys, hop, known_hosts):
    """A one-time code cannot be used twice: the second login would fail."""
    jump = asking(CODE, [["123456"]], once=True)
    with SshServer([keys.other_host], [keys.user]) as server:
        known = known_hosts((jump.port, keys.host), (server.port, keys.other_host))
        admin, gpu = hop(jump.port, known), hop(server.port, known, name="gpu2")
        person, hops = Scripted("123456"), SharedHops()
        first, second = connect((admin,), person=person, hops=hops), connect((admin, gpu), person=person, hops=hops)
        assert person.asked == [("admin1", "Verification code:", False)]
        second.close()
        first.close()


@pytest.fixture
def forgetful(monkeypatch):
    """Passphrases are remembered as long as the program runs; each test is another program."""
    monkeypatch.setattr(user_keys, "_UNLOCKED", {})


@pytest.fixture
def server(keys):
    with SshServer([keys.host], [keys.user, keys.user_rsa]) as running:
        running.key = keys.host
        yield running


@pytest.mark.usefixtures("forgetful")
def test_a_passphrase_is_asked_once_for_a_file_whichever_hop_needs_it(server, keys, key_file, hop, known_hosts):
    path = key_file(keys.user, passphrase="open sesame")
    person = Scripted("no", "open sesame")
    known = known_hosts((server.port, keys.host))
    route = (hop(server.port, known, key_files=(path,)), hop(server.port, known, name="gpu2", key_files=(path,)))
    connect(route, person=person).close()
    connect(route, person=person).close()
    assert [name for name, _, _ in person.asked] == ["admin1", "admin1"]
    assert str(path) in person.asked[0][1]
    assert person.asked[1][1].startswith("that was not it; ")


@pytest.mark.usefixtures("forgetful")
def test_three_wrong_passphrases_are_enough(server, log_in, keys, key_file):
    person = Scripted("a1", "b2", "c3", "open sesame")
    with pytest.raises(InputError, match="passphrase is wrong") as caught:
        log_in(server, person, key_files=(key_file(keys.user, passphrase="open sesame"),))
    assert len(person.asked) == 3
    assert "c3" not in str(caught.value)
    assert server.observed.connections == 0


@pytest.mark.usefixtures("forgetful")
@pytest.mark.parametrize("form", ["openssh", "pkcs1-pem"])
def test_a_key_that_the_agent_has_needs_no_passphrase(server, log_in, keys, key_file, ssh_agent, form):
    options = {} if form == "openssh" else {"format_name": form}
    path = key_file(keys.user_rsa, passphrase="open sesame", **options)
    path.with_name(path.name + ".pub").write_bytes(keys.user_rsa.export_public_key())
    ssh_agent(keys.user_rsa)
    log_in(server, key_files=(path,))


@pytest.mark.usefixtures("forgetful")
def test_an_agent_without_the_key_leaves_it_to_the_person(server, log_in, keys, key_file, ssh_agent):
    ssh_agent(keys.stranger)
    person = Scripted("open sesame")
    log_in(server, person, key_files=(key_file(keys.user, passphrase="open sesame"),))
    assert len(person.asked) == 1


def test_the_public_half_of_an_encrypted_key_is_read_without_its_passphrase(keys):
    for key in (keys.user, keys.user_rsa, keys.user_ecdsa):
        content = key.export_private_key("openssh", passphrase="x", rounds=50)
        public = user_keys.public_half(content)
        assert isinstance(public, paramiko.PKey)
        assert public.asbytes() == key.public_data
    assert user_keys.public_half(b"garbage") is None
    assert user_keys.public_half(b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END") is None
    assert user_keys.public_half(b"", b"ssh-ed25519 !!!") is None
    assert isinstance(asyncssh.import_public_key(keys.user.export_public_key()), asyncssh.SSHKey)
