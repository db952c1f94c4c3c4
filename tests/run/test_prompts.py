"""`vars_prompt`: who is asked, when, and what an answer is."""

from dataclasses import dataclass, field

import pytest
from scupi_provision.errors import InputError
from scupi_provision.events import Notice, TaskFinished
from scupi_provision.masking import mask
from scupi_provision.run.apply import apply
from scupi_provision.run.check import check
from scupi_provision.run.request import RunRequest
from scupi_provision.run.site import load_site
from scupi_provision.transport.base import Nobody

ASKS = """
- hosts: one, two
  gather_facts: false
  vars: {place: here}
  vars_prompt:
    - {name: color, prompt: "which color {{ place }}", default: red%s}
  tasks:
    - assert: {that: ["color == wanted"]}
"""


@dataclass
class Somebody(Nobody):
    """Gives one answer after another."""

    answers: list[str]
    asked: list[tuple[str, bool]] = field(default_factory=list)

    def answer(self, question: str, *, echo: bool) -> str | None:
        self.asked.append((question, echo))
        return self.answers.pop(0)


@pytest.fixture
def run(account):
    """`run(playbook, **request)`: the events of an apply (or another verb) on two hosts that are this account."""

    def run(playbook, verb=apply, **request):
        inventory = account.parent / "inventory.yaml"
        inventory.write_text("all: {vars: {ansible_connection: local}, hosts: {one: {}, two: {}}}")
        path = account.parent / "play.yaml"
        path.write_text(playbook)
        return list(verb(load_site(RunRequest(path, inventory, **request))))

    yield run
    mask().forget()


def outcomes(events):
    return [event.outcome.value for event in events if isinstance(event, TaskFinished)]


@pytest.mark.parametrize("verb", [apply, check])
def test_a_person_is_asked_once_for_all_hosts(run, verb):
    person = Somebody(["blue velvet"])
    found = run(ASKS % "", verb, person=person, extra={"wanted": "blue velvet"})
    assert outcomes(found) == ["ok", "ok"]
    assert person.asked == [("which color here [red]: ", False)]


def test_what_is_typed_unseen_is_masked_and_what_may_be_seen_is_not(run):
    run(ASKS % "", person=Somebody(["blue velvet"]), extra={"wanted": "blue velvet"})
    assert mask().hide("a blue velvet") == "a ***"
    mask().forget()
    run(ASKS % ", private: false", person=Somebody(["blue velvet"]), extra={"wanted": "blue velvet"})
    assert mask().hide("a blue velvet") == "a blue velvet"


def test_nothing_typed_means_the_default(run):
    assert outcomes(run(ASKS % "", person=Somebody([""]), extra={"wanted": "red"})) == ["ok", "ok"]


def test_confirming_goes_on_until_both_are_the_same(run):
    person = Somebody(["blue", "blau", "green", "green"])
    assert outcomes(run(ASKS % ", confirm: true", person=person, extra={"wanted": "green"})) == ["ok", "ok"]
    assert len(person.asked) == 4


def test_what_the_command_line_gives_is_not_asked(run):
    person = Somebody([])
    assert outcomes(run(ASKS % "", person=person, extra={"wanted": "x", "color": "x"})) == ["ok", "ok"]
    assert person.asked == []


def test_an_answer_is_never_a_template(run):
    person = Somebody(["{{ place }}"])
    playbook = (ASKS % "").replace("color == wanted", "color | length == 11")
    assert outcomes(run(playbook, person=person)) == ["ok", "ok"]


def test_where_nobody_can_be_asked_the_default_counts_and_it_is_said(run):
    found = run(ASKS % "", extra={"wanted": "red"})
    assert outcomes(found) == ["ok", "ok"]
    assert [event.text for event in found if isinstance(event, Notice)] == [
        "nobody can be asked, so these have their defaults: color"
    ]


def test_without_a_default_and_a_person_nothing_is_begun(run):
    playbook = (ASKS % "").replace(", default: red", "")
    with pytest.raises(InputError, match='nobody can be asked for "color"') as refused:
        run(playbook, extra={"wanted": "x"})
    assert refused.value.diagnostic.hint == "give it: -e color=…"


@pytest.mark.parametrize("word", ["encrypt: sha512_crypt", "salt: x"])
def test_hashes_are_refused_by_name(run, word):
    with pytest.raises(InputError, match="of vars_prompt: answers are not hashed here"):
        run(ASKS % f", {word}")
