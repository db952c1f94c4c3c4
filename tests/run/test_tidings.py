"""Hosts are opened by several threads; what they say and ask comes to one."""

import threading
import time
from types import SimpleNamespace

import pytest
from scupi_provision.errors import AuthenticationError, UnreachableError
from scupi_provision.events import Notice
from scupi_provision.run.tidings import Tidings
from scupi_provision.transport.base import Hop, Nobody

HOP = Hop("admin1", "a")
HOSTS = [SimpleNamespace(name=name, label=name) for name in ("a", "b", "c")]


class Present:
    """A person who remembers in which thread the questions were put, and how many at a time."""

    def __init__(self, answer=lambda question: question.upper()):
        self.threads = set()
        self.at_once = self.most_at_once = 0
        self.answer = answer

    def secret(self, _hop, question, *, echo):
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.threads.add(threading.current_thread())
        time.sleep(0.02 if echo else 0.01)
        self.at_once -= 1
        return self.answer(question)

    def trusts(self, _hop, offered):
        return offered == "good"


def test_every_question_is_put_by_the_thread_that_reads():
    person = Present()
    tidings = Tidings(3, person)

    def opener(host, _tell):
        answers = [tidings.person.secret(HOP, f"{host.name}{number}", echo=False) for number in range(3)]
        return [Notice(",".join(answers), host.label)]

    said = [event.text for event in tidings.of(HOSTS, opener)]
    assert said == ["A0,A1,A2", "B0,B1,B2", "C0,C1,C2"]
    assert person.threads == {threading.current_thread()}
    assert person.most_at_once == 1


def test_trust_is_asked_in_the_same_way():
    tidings = Tidings(2, Present())

    def opener(_host, _tell):
        return [Notice(f"{tidings.person.trusts(HOP, 'good')} {tidings.person.trusts(HOP, 'bad')}")]

    assert [event.text for event in tidings.of(HOSTS[:1], opener)] == ["True False"]


def test_a_refusal_reaches_whoever_asked():
    def refuse(_question):
        raise AuthenticationError("no")

    tidings = Tidings(2, Present(refuse))

    def opener(_host, _tell):
        with pytest.raises(AuthenticationError, match="no"):
            tidings.person.secret(HOP, "?", echo=False)
        return [Notice("refused")]

    assert [event.text for event in tidings.of(HOSTS[:1], opener)] == ["refused"]


def test_whoever_presses_ctrl_c_at_a_question_gets_away_at_once():
    def interrupt(_question):
        raise KeyboardInterrupt

    tidings, ends = Tidings(3, Present(interrupt)), []

    def opener(_host, _tell):
        try:
            tidings.person.secret(HOP, "?", echo=False)
        except UnreachableError as error:
            ends.append(str(error))
            raise
        return []

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        list(tidings.of(HOSTS, opener))
    assert ends == ["the run was given up"] * 3
    assert time.monotonic() - began < 5


def test_nobody_is_asked_without_a_detour():
    """Who is there decides how a login is tried."""
    nobody = Nobody()
    assert Tidings(1, nobody).person is nobody
