"""Answers to what a host asks at a login: the password that we were given, then whoever is at the terminal."""

from __future__ import annotations

from scupi_provision.transport.base import Hop, Nobody, Person
from scupi_provision.transport.userauth import Questions
from scupi_provision.values import Secret

_MOST_ATTEMPTS = 3
"""Times a person is asked for the same after a wrong answer, as ssh does it (NumberOfPasswordPrompts)."""


class Answering:
    """Answers one host.

    Attributes:
        remark: What to say before the next question: why there is one, or one more.
        has_asked: Whether the current attempt has needed an answer; the user of this resets it.
    """

    def __init__(self, hop: Hop, person: Person, password: Secret | None) -> None:
        self._hop = hop
        self._person = person
        self._password = password
        self.remark = ""
        self.has_asked = False

    @property
    def is_possible(self) -> bool:
        """Whether there is anything or anybody to answer."""
        return self._password is not None or not isinstance(self._person, Nobody)

    @property
    def attempts(self) -> int:
        """How often it is worth while to be asked: a password that was wrong once is so again."""
        return 1 if isinstance(self._person, Nobody) else _MOST_ATTEMPTS

    def password(self, user: str) -> str:
        """The password of `user` on this host."""
        return self._answer(f"Password of {user}:", echo=False, may_be_password=True)

    def to(self, questions: Questions) -> list[str]:
        """One answer for each of `questions`. A single one that is hidden is PAM asking for the password."""
        heading, answers = questions.heading, []
        for prompt, echo in questions.prompts:
            is_password = len(questions.prompts) == 1 and not echo
            question = "\n".join(filter(None, (heading, prompt.strip())))
            answers.append(self._answer(question or "?", echo=echo, may_be_password=is_password))
            heading = ""
        return answers

    def _answer(self, question: str, *, echo: bool, may_be_password: bool) -> str:
        self.has_asked = True
        if self._password is not None and may_be_password:
            given, self._password = self._password, None
            return given.reveal()
        remark, self.remark = self.remark, ""
        return self._person.secret(self._hop, remark + question, echo=echo)
