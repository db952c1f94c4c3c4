"""Lookups that do something on this machine: run a program, ask a server, throw dice.

A play is planned more than once, so each is done once in a run and remembered.
"""

from __future__ import annotations

import os
import random
import re
import secrets
import string
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from scupi_provision.masking import mask
from scupi_provision.playbook.templating.failures import TemplateFailure
from scupi_provision.values import SecretText, UnknownValue

_CHANCE = secrets.token_hex(8)
_SECONDS = 60
_CHARACTERS = f"{string.ascii_letters}{string.digits}.,:-_"
"""Of which passwords are made when nothing is said (Ansible's documentation of the lookup password)."""

_LARGEST_ANSWER = 10_000_000


def _pipe(templar: Any, terms: list[Any], _options: dict[str, Any]) -> list[Any]:
    return [_output(str(term), _folder(templar)) for term in terms]


def _lines(templar: Any, terms: list[Any], _options: dict[str, Any]) -> list[Any]:
    return [line for term in terms for line in _output(str(term), _folder(templar)).splitlines()]


def _folder(templar: Any) -> str | None:
    folder = templar.variables.get("playbook_dir")
    return str(folder) if folder else None


@lru_cache(maxsize=256)
def _output(command: str, folder: str | None) -> str:
    try:
        ran = subprocess.run(  # noqa: S602 - the playbook says which program
            command,
            check=False,
            shell=True,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            timeout=_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise TemplateFailure(f"cannot run {command!r} on this machine: {error}") from None
    if ran.returncode:
        raise TemplateFailure(f"{command!r} ends with {ran.returncode} on this machine")
    return ran.stdout.decode("utf-8", "replace").rstrip()


def _url(_templar: Any, terms: list[Any], options: dict[str, Any]) -> list[Any]:
    if options.get("validate_certs", True) is False:
        raise TemplateFailure("validate_certs=false is refused", hint="use a server whose certificate is valid")
    headers = tuple((str(name), str(value)) for name, value in dict(options.get("headers") or {}).items())
    texts = [_answer(str(term), headers, float(options.get("timeout", 10))) for term in terms]
    return [line for text in texts for line in text.splitlines()] if options.get("split_lines", True) else texts


@lru_cache(maxsize=64)
def _answer(url: str, headers: tuple[tuple[str, str], ...], seconds: float) -> str:
    if not url.startswith(("http://", "https://")):
        raise TemplateFailure(f"{url!r} is not an http or https URL")
    try:
        request = urllib.request.Request(url, headers=dict(headers))  # noqa: S310 - checked above
        with urllib.request.urlopen(request, timeout=seconds) as reply:  # noqa: S310
            content: bytes = reply.read(_LARGEST_ANSWER)
    except (OSError, ValueError, urllib.error.URLError) as error:
        raise TemplateFailure(f"cannot read {url}: {error}") from None
    return content.decode("utf-8", "replace")


def _random_choice(templar: Any, terms: list[Any], _options: dict[str, Any]) -> list[Any]:
    if templar.variables.get("ansible_check_mode") is True:
        return [UnknownValue("chance (the lookup random_choice)")]
    return [random.Random(f"{_CHANCE}{terms!r}").choice(terms)] if terms else []  # noqa: S311 - nothing secret


def _password(templar: Any, terms: list[Any], options: dict[str, Any]) -> list[Any]:
    return [_one_password(templar, str(term), options) for term in terms]


def _one_password(templar: Any, term: str, options: Mapping[str, Any]) -> Any:
    name, *words = re.split(r"\s+(?=\w+=)", term.strip())
    said = {**options, **dict(word.split("=", 1) for word in words)}
    for refused in ("encrypt", "ident"):
        if said.get(refused):
            hint = "keep the hash in a variable, as openssl passwd -6 makes it"
            raise TemplateFailure(f"the lookup password cannot {refused}", hint=hint)
    path = Path(_folder(templar) or ".") / Path(name).expanduser()
    if path.is_file():
        return _secret(path.read_text(encoding="utf-8").partition(" salt=")[0].rstrip("\n"))
    if templar.variables.get("ansible_check_mode") is True:
        return UnknownValue(f"the password that is made in {path}")
    made = _made(str(path), int(str(said.get("length", 20))), _alphabet(said.get("chars")), said.get("seed"))
    if str(path) != os.devnull:
        _keep(path, made)
    return _secret(made)


def _secret(text: str) -> SecretText:
    mask().learn(text)
    return SecretText(text)


def _alphabet(chars: Any) -> str:
    if not chars:
        return _CHARACTERS
    names = chars.replace(",,", ",comma").split(",") if isinstance(chars, str) else [str(name) for name in chars]
    return "".join("," if name == "comma" else str(getattr(string, name, name)) for name in names)


@lru_cache(maxsize=256)
def _made(_path: str, length: int, alphabet: str, seed: Any) -> str:
    dice: Any = secrets.SystemRandom() if seed is None else random.Random(seed)  # noqa: S311 - a seed is asked for
    return "".join(dice.choice(alphabet) for _ in range(length))


def _keep(path: Path, password: str) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(password + "\n")
    except OSError as error:
        raise TemplateFailure(f"the password cannot be kept in {path}: {error.strerror}") from None


LOOKUPS: dict[str, Callable[[Any, list[Any], dict[str, Any]], list[Any]]] = {
    "pipe": _pipe,
    "lines": _lines,
    "url": _url,
    "random_choice": _random_choice,
    "password": _password,
}
