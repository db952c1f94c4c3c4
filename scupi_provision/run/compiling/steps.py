"""The steps of a plan as shell text: each tests first whether it, or this part of it, has been done."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from scupi_provision.errors import InputError
from scupi_provision.events import Outcome
from scupi_provision.plan.models import Step
from scupi_provision.plan.stream import stream_of
from scupi_provision.run.compiling.chains import Chains
from scupi_provision.run.compiling.edits import edit_of, marks_of
from scupi_provision.run.compiling.unseen import UnseenHome
from scupi_provision.shell.actions import Action, Extract, Mkdir, Recheck, Remove, Run, WriteFile
from scupi_provision.shell.standalone import Chain, Standalone, left_by, state_of
from scupi_provision.shell.words import word, words
from scupi_provision.source import diagnostic

_REPLACING = frozenset({"copy", "template"})


@dataclass
class StepTexts:
    """Writes the steps of one plan.

    Attributes:
        steps: The plan's.
        home: Who has answered for the host, when nobody has looked at it; None when the plan rests on a look.
        host: The view of the plan's end, for the paths that arguments name.
    """

    steps: Sequence[Step]
    home: UnseenHome | None
    compiler: Standalone = field(default_factory=Standalone)

    def __post_init__(self) -> None:
        self.chains = Chains(self.steps)
        self._contents: dict[str, bytes] = {}
        self._stream = {turn.number: turn.actions for turn in stream_of(self.steps)}

    def text(self, index: int) -> str:
        """What the step at `index` does, as commands joined by `&&`; "" when it does nothing."""
        step = self.steps[index]
        known = asks_itself(step)
        rests = [] if known else [a for a in self._stream.get(index, ()) if isinstance(a, Recheck)]
        parts = [*map(self._recheck, rests), *self._absences(step), *self._parts(step)]
        body = " &&\n  ".join(part for part in parts if part)
        return f"{{ {known} || {{\n  {body}\n  }}; }}" if known and body else body

    # --- parts of a step ------------------------------------------------------------------------------------------

    def _parts(self, step: Step) -> Iterator[str]:
        for inputs, program in _groups(step.actions):
            texts = [text for action in inputs for text in self._change(step, action)]
            if program is None:
                yield from texts
            elif isinstance(program, Extract):
                stamp = next((a for a in reversed(step.actions) if isinstance(a, WriteFile)), None)
                done = f"s_still {word(stamp.path)} {word(left_by(stamp) or '')}" if stamp else "false"
                yield _unless(done, [*texts, self.compiler.extract(program)])
            elif program.creates:
                stale = [f"! s_still {words(*old)}" for old in _removed(inputs)]
                done = " && ".join([f"s_all {words(*program.creates)}", *stale])
                yield _unless(done, [*texts, self.compiler.run(program)])
            else:
                yield from [*texts, self.compiler.run(program, looks=program.writes == ())]

    def _change(self, step: Step, action: Action) -> Iterator[str]:
        if isinstance(action, Run):
            yield self.compiler.run(action, looks=True)
            return
        folder = self.chains.needed(action)
        if folder is not None and folder not in step.actions:
            yield self._plain(step, folder)
        if isinstance(action, WriteFile):
            edited = self._edited(step, action)
            self._contents[action.path] = action.content
            if edited:
                yield edited
                return
        yield self._plain(step, action)

    def _plain(self, step: Step, action: Action) -> str:
        path = getattr(action, "path", "")
        free = self.home is not None and (isinstance(action, Mkdir) or _may_replace(step))
        return self.compiler.change(action, Chain(self.chains.after(action, path), free))

    def _edited(self, step: Step, action: WriteFile) -> str:
        """The edit of a file of the user's; "" when all of the file is known."""
        if self.home is None or action.path not in self.home.theirs:
            return ""
        before = self._contents.get(action.path, self.home.riddle(action.path))
        if self.home.riddle(action.path) not in action.content:
            return ""
        edit = edit_of(step, before, action.content)
        if edit is None:
            what = f"{step.label}: where its lines go depends on what is in {action.path}"
            hint = "let the account be looked at first: provision compile --look-script"
            raise InputError.of([diagnostic(what, step.label.where, hint=hint)])
        text = self.compiler.edit(action.path, edit, action.validate)
        return f"{text} && s_mode {words(action.path, f'{action.mode:o}')}" if action.mode_asked else text

    def _absences(self, step: Step) -> Iterator[str]:
        """What a step would take away from a file of the user's, if it were there."""
        absent = getattr(step.args, "state", "") == "absent"
        if self.home is None or step.actions or not absent or step.outcome is Outcome.SKIPPED:
            return
        marks = words(*(mark.decode("utf-8", "surrogateescape") for mark in marks_of(step)))
        yield from (f"s_lacks {word(path)} {marks}" for path in step.reads if marks and path in self.home.theirs)

    def _recheck(self, action: Recheck) -> str:
        """After a program that may have written anywhere: what the step rests on is still so."""
        theirs = self.home.theirs if self.home else frozenset()
        calls = (self.chains.rest(path, entry) for path, entry in action.entries if path not in theirs)
        return " &&\n  ".join(filter(None, calls))


def _groups(actions: Sequence[Action]) -> Iterator[tuple[list[Action], Run | Extract | None]]:
    """The actions in parts that end with a program; one that only looks belongs to what follows it."""
    pending: list[Action] = []
    for action in actions:
        looks = isinstance(action, Run) and action.writes == () and not action.creates
        if isinstance(action, Run | Extract) and not (looks and action is not actions[-1]):
            yield pending, action
            pending = []
        else:
            pending.append(action)
    if pending:
        yield pending, None


def _unless(done: str, texts: Sequence[str]) -> str:
    return f"{{ {{ {done}; }} || {{\n  " + " &&\n  ".join(texts) + "\n  }; }"


def _removed(actions: Sequence[Action]) -> Iterator[tuple[str, str]]:
    """What the actions take away, with the state that it was in: marks of something else than is wanted now."""
    for action in actions:
        if isinstance(action, Remove) and action.expect is not None and action.expect.exists:
            yield action.path, state_of(action.expect)


def _may_replace(step: Step) -> bool:
    """Whether an apply of this step replaces a file whatever is in it, and keeps no copy."""
    args = step.args
    if step.module is None or step.module.name not in _REPLACING:
        return False
    return bool(getattr(args, "force", False)) and not getattr(args, "backup", False)


def asks_itself(step: Step) -> str:
    """The test by which a task says itself that it has been done (`creates`, `removes`), or ""."""
    args, name = step.args, step.module.name if step.module else ""
    if name not in {"command", "shell", "unarchive"} or not step.actions:
        return ""
    tests = [f"s_any {_glob(pattern, step)}" for pattern in [getattr(args, "creates", None)] if pattern]
    tests += [f"! s_any {_glob(pattern, step)}" for pattern in [getattr(args, "removes", None)] if pattern]
    return f"{{ {' || '.join(tests)}; }}" if tests else ""


def _glob(pattern: str, step: Step) -> str:
    """A pattern of `creates` as a word of the shell, which knows the same signs."""
    found = next(iter(a.cwd for a in step.actions if isinstance(a, Run) and a.cwd), None)
    base = '"$HOME"/' if found is None else f"{word(found)}/"
    for prefix in ("~/", "$HOME/", "${HOME}/"):
        if pattern.startswith(prefix):
            base, pattern = '"$HOME"/', pattern[len(prefix) :]
            break
    parts = re.split(r"(\[[^/\]]*\]|[*?])", pattern)
    text = "".join(part if place % 2 else word(part) if part else "" for place, part in enumerate(parts))
    return text if pattern.startswith("/") else f"{base}{text}"
