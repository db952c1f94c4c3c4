"""`vars_prompt`: what a person is asked before a play starts."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

from scupi_provision.errors import InputError
from scupi_provision.events import Event, Notice
from scupi_provision.masking import mask
from scupi_provision.playbook.models import Play, Prompt
from scupi_provision.playbook.templating import Templar
from scupi_provision.run.running import Running
from scupi_provision.source import diagnostic


@runtime_checkable
class Answerer(Protocol):
    """A Person who may be asked for variables."""

    def answer(self, question: str, *, echo: bool) -> str | None:
        """MUST return what is typed, shown meanwhile only with `echo`; None when nobody is there."""


def ask(run: Running, play: Play) -> Iterator[Event]:
    """Ask for the variables of `play` that the command line does not give; `run.site` has the answers afterwards.

    Raises:
        InputError: Nobody can be asked, and there is no default.
    """
    extra = run.site.request.extra
    answers: dict[str, Any] = {}
    assumed: list[str] = []
    templar = Templar(ChainMap(extra, answers, *reversed(play.variables)))
    for prompt in play.prompts:
        if prompt.name in extra:
            continue
        default = None if prompt.default is None else _text(templar.render(prompt.default))
        typed = _typed(run, prompt, default, templar)
        if typed is None:
            assumed.append(prompt.name)
        if typed and prompt.private:
            mask().learn(typed)
        answers[prompt.name] = _chosen(prompt, typed, default)
    run.site = replace(run.site, answers=answers)
    if assumed:
        yield Notice(f"nobody can be asked, so these have their defaults: {', '.join(assumed)}", level="warning")


def _typed(run: Running, prompt: Prompt, default: str | None, templar: Templar) -> str | None:
    person = run.site.request.person
    if not isinstance(person, Answerer):
        return None
    question = f"input for {prompt.name}" if prompt.prompt is None else templar.text(prompt.prompt)
    if default is not None and prompt.prompt is not None:
        question += f" [{default}]"
    while True:
        typed = person.answer(f"{question}: ", echo=not prompt.private)
        if typed is None or not prompt.confirm:
            return typed
        if person.answer(f"the same once more, {question}: ", echo=not prompt.private) == typed:
            return typed


def _chosen(prompt: Prompt, typed: str | None, default: str | None) -> str:
    """What was typed, or the default for nothing."""
    chosen = typed or default
    if chosen is not None:
        return chosen
    if typed is not None:
        return ""
    what = f'vars_prompt: nobody can be asked for "{prompt.name}", and it has no default'
    raise InputError.of([diagnostic(what, prompt.where, hint=f"give it: -e {prompt.name}=…")])


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value)
