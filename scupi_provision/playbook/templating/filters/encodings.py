"""Filters between values and texts: JSON, YAML, base64, hashes."""

# ruff: noqa: FBT001, FBT002 - Ansible's signatures: templates pass these by position

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from jinja2 import Undefined

from scupi_provision.errors import InputError
from scupi_provision.playbook.templating.failures import TemplateFailure
from scupi_provision.values import Secret, SourceFloat, SourceInt, SourceText, UnknownValue

_ANSIBLE_NAMESPACE = uuid.UUID("361E6D51-FAEC-444A-9079-341386DA8E2E")  # documented for to_uuid: same input, same id


def builtin(value: Any) -> Any:
    """`value` made of built-in types, numbers as numbers; undefined, unknown and secret values raise."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, SourceInt | int):
        return int(value)
    if isinstance(value, SourceFloat | float):
        return float(value)
    if isinstance(value, date):  # a datetime is one, too
        return value.isoformat()
    if isinstance(value, Mapping):
        return {builtin(key): builtin(item) for key, item in value.items()}
    if isinstance(value, Undefined):
        value._fail_with_undefined_error()  # noqa: SLF001 - Jinja's way to use an undefined value
    if isinstance(value, UnknownValue):
        str(value)  # raises UnknownValueError with its reason
    if isinstance(value, Secret):
        raise TemplateFailure("a secret cannot be written as JSON or YAML")
    try:
        return [builtin(item) for item in value]
    except TypeError:
        raise TemplateFailure(f"{value!r} cannot be written as JSON or YAML") from None


def to_json(value: Any, **options: Any) -> str:
    """`value` as JSON, on one line unless `indent` says otherwise."""
    return json.dumps(builtin(value), **{"ensure_ascii": True, **_known(options)})


def to_nice_json(value: Any, indent: int = 4, sort_keys: bool = True, **options: Any) -> str:
    """`value` as JSON for people."""
    return json.dumps(
        builtin(value),
        indent=indent,
        sort_keys=sort_keys,
        **{"ensure_ascii": True, "separators": (",", ": "), **_known(options)},
    )


def _known(options: dict[str, Any]) -> dict[str, Any]:
    # Ansible's own switches about vaults and trust; there is nothing here that they could change.
    ignored = ("vault_to_text", "preprocess_unsafe", "profile")
    return {key: value for key, value in options.items() if key not in ignored}


def to_yaml(value: Any, *_: Any, default_flow_style: bool | None = None, **options: Any) -> str:
    """`value` as YAML; flat lists and mappings inside it on one line."""
    import yaml  # noqa: PLC0415 - rarely needed

    options = {"allow_unicode": True, "sort_keys": True, **options}
    made = str(yaml.safe_dump(builtin(value), default_flow_style=default_flow_style, **options))
    return made.removesuffix("...\n") if not isinstance(value, Mapping | list) else made


def to_nice_yaml(value: Any, indent: int = 4, **options: Any) -> str:
    """`value` as YAML, one line an item."""
    return to_yaml(value, default_flow_style=False, indent=indent, **options)


def from_json(value: Any) -> Any:
    """The value that a JSON text stands for; its texts are data, never templates."""
    try:
        return json.loads(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise TemplateFailure(f"not JSON: {error}") from None


def from_yaml(value: Any) -> Any:
    """The value that a YAML text stands for; its texts are data, never templates."""
    from scupi_provision.source import implicit, read_text  # noqa: PLC0415 - rarely needed

    if not isinstance(value, str):
        return value
    try:
        return _as_data(implicit(read_text(value, "<from_yaml>")))
    except InputError as error:
        raise TemplateFailure(f"not YAML: {error.diagnostic.summary}") from None


def from_yaml_all(value: Any) -> list[Any]:
    """The values of all documents of a YAML text."""
    import yaml  # noqa: PLC0415 - rarely needed

    if not isinstance(value, str):
        return [value]
    try:
        documents = [yaml.serialize(node) for node in yaml.compose_all(value) if node is not None]
    except yaml.YAMLError as error:
        raise TemplateFailure(f"not YAML: {error}") from None
    return [from_yaml(document) for document in documents]


def to_uuid(value: Any, namespace: Any = _ANSIBLE_NAMESPACE) -> str:
    """The UUID that always belongs to `value` in `namespace`."""
    try:
        return str(uuid.uuid5(namespace if isinstance(namespace, uuid.UUID) else uuid.UUID(namespace), str(value)))
    except (AttributeError, ValueError, TypeError):
        raise TemplateFailure(f"{namespace!r} is not a UUID") from None


def _as_data(value: Any) -> Any:
    """Texts stripped of the trust that the reader of playbooks gives them."""
    if isinstance(value, SourceText):
        return str.__str__(value)
    if isinstance(value, dict):
        return {_as_data(key): _as_data(item) for key, item in value.items()}
    return [_as_data(item) for item in value] if isinstance(value, list) else value


def b64encode(value: Any, encoding: str = "utf-8") -> str:
    """`value` in base64."""
    return base64.b64encode(str(value).encode(encoding)).decode("ascii")


def b64decode(value: Any, encoding: str = "utf-8") -> str:
    """The text that base64 stands for."""
    try:
        return base64.b64decode(str(value)).decode(encoding)
    except (ValueError, LookupError) as error:
        raise TemplateFailure(f"not base64 of a text: {error}") from None


def digest(value: Any, hashtype: str = "sha1") -> str:
    """The hash of a text, in hexadecimal."""
    try:
        return hashlib.new(hashtype, str(value).encode(), usedforsecurity=False).hexdigest()
    except (ValueError, TypeError):
        raise TemplateFailure(f"no hash {hashtype!r}", hint="sha256, sha512, sha1 or md5") from None


FILTERS: dict[str, Callable[..., Any]] = {
    "to_json": to_json,
    "tojson": lambda value, indent=None: to_json(value, indent=indent, sort_keys=True),  # Jinja's own is HTML
    "to_nice_json": to_nice_json,
    "to_yaml": to_yaml,
    "to_nice_yaml": to_nice_yaml,
    "from_json": from_json,
    "from_yaml": from_yaml,
    "from_yaml_all": from_yaml_all,
    "b64encode": b64encode,
    "b64decode": b64decode,
    "hash": digest,
    "checksum": digest,
    "sha1": digest,
    "md5": lambda value: digest(value, "md5"),
    "to_uuid": to_uuid,
}
