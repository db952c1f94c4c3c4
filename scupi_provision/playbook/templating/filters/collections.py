"""Filters on lists and mappings."""

# ruff: noqa: FBT001, FBT002 - Ansible's signatures: templates pass these by position

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from jinja2 import Undefined, pass_environment

from scupi_provision.playbook.templating.failures import TemplateFailure

_MOST_ROWS = 100_000
_MERGES = ("replace", "keep", "append", "prepend", "append_rp", "prepend_rp")


def flatten(value: Any, levels: int | None = None, skip_nulls: bool = True) -> list[Any]:
    """Lists within the list `value` taken apart, at most `levels` deep."""
    made: list[Any] = []
    for item in _items(value, "flatten"):
        if skip_nulls and item is None:
            continue
        if isinstance(item, list | tuple) and levels != 0:
            made += flatten(item, None if levels is None else levels - 1, skip_nulls)
        else:
            made.append(item)
    return made


def unique(value: Any, case_sensitive: bool = False, attribute: str | None = None) -> list[Any]:
    """The items of `value`, each once, in order of appearance."""
    seen: list[Any] = []
    made: list[Any] = []
    for item in _items(value, "unique"):
        key = item[attribute] if attribute is not None else item
        key = key.lower() if isinstance(key, str) and not case_sensitive else key
        if key not in seen:
            seen.append(key)
            made.append(item)
    return made


def _each_once(items: list[Any]) -> list[Any]:
    return unique(items, case_sensitive=True)


def union(first: Any, second: Any) -> list[Any]:
    """What is in one of two lists."""
    return _each_once([*_items(first, "union"), *_items(second, "union")])


def intersect(first: Any, second: Any) -> list[Any]:
    """What is in both of two lists."""
    others = list(_items(second, "intersect"))
    return _each_once([item for item in _items(first, "intersect") if item in others])


def difference(first: Any, second: Any) -> list[Any]:
    """What is in the first of two lists only."""
    others = list(_items(second, "difference"))
    return _each_once([item for item in _items(first, "difference") if item not in others])


def symmetric_difference(first: Any, second: Any) -> list[Any]:
    """What is in exactly one of two lists."""
    return difference(first, second) + difference(second, first)


def combine(*mappings: Any, recursive: bool = False, list_merge: str = "replace") -> dict[Any, Any]:
    """Mappings merged, later ones winning; with `recursive` their inner mappings are merged, too."""
    if list_merge not in _MERGES:
        raise TemplateFailure(f"no list_merge {list_merge!r}", hint=", ".join(_MERGES))
    made: dict[Any, Any] = {}
    for mapping in flatten(list(mappings)):
        _fail_if_undefined(mapping)
        if not isinstance(mapping, Mapping):
            raise TemplateFailure(f"combine needs mappings, not {mapping!r}")
        made = _merged(made, mapping, recursive, list_merge)
    return made


def _merged(old: Mapping[Any, Any], new: Mapping[Any, Any], recursive: bool, list_merge: str) -> dict[Any, Any]:
    made = dict(old)
    for key, value in new.items():
        before = made.get(key)
        if recursive and isinstance(before, Mapping) and isinstance(value, Mapping):
            made[key] = _merged(before, value, recursive, list_merge)
        elif isinstance(before, list) and isinstance(value, list):
            made[key] = _merged_list(before, value, list_merge)
        else:
            made[key] = value
    return made


def _merged_list(old: list[Any], new: list[Any], list_merge: str) -> list[Any]:
    if list_merge == "replace":
        return new
    if list_merge == "keep":
        return old
    if list_merge == "append":
        return old + new
    if list_merge == "prepend":
        return new + old
    if list_merge == "append_rp":
        return [item for item in old if item not in new] + new
    return new + [item for item in old if item not in new]


def dict2items(mapping: Any, key_name: str = "key", value_name: str = "value") -> list[dict[str, Any]]:
    """A mapping as a list of {key, value}."""
    if not isinstance(mapping, Mapping):
        raise TemplateFailure(f"dict2items needs a mapping, not {mapping!r}")
    return [{key_name: key, value_name: value} for key, value in mapping.items()]


def items2dict(items: Any, key_name: str = "key", value_name: str = "value") -> dict[Any, Any]:
    """A list of {key, value} as a mapping."""
    try:
        return {item[key_name]: item[value_name] for item in _items(items, "items2dict")}
    except (KeyError, TypeError):
        raise TemplateFailure(f"items2dict needs items with {key_name!r} and {value_name!r}") from None


def zip_lists(first: Any, *others: Any) -> list[list[Any]]:
    """The first items of all lists, the second items, … as long as all have one."""
    return [list(row) for row in zip(_items(first, "zip"), *others, strict=False)]


def zip_longest(first: Any, *others: Any, fillvalue: Any = None) -> list[list[Any]]:
    """As zip, as long as one list has items."""
    return [list(row) for row in itertools.zip_longest(_items(first, "zip_longest"), *others, fillvalue=fillvalue)]


def product(first: Any, *others: Any) -> list[list[Any]]:
    """Every combination of one item of each list."""
    return _bounded(itertools.product(_items(first, "product"), *others), "product")


def subelements(items: Any, path: Any, skip_missing: bool = False) -> list[list[Any]]:
    """[item, part] for every part of the list at `path` in every item."""
    steps = path.split(".") if isinstance(path, str) else list(path)
    made: list[list[Any]] = []
    for item in items.values() if isinstance(items, Mapping) else _items(items, "subelements"):
        inner = item
        for step in steps:
            if not isinstance(inner, Mapping) or step not in inner:
                inner = None
                break
            inner = inner[step]
        if inner is None and skip_missing:
            continue
        if not isinstance(inner, list | tuple):
            raise TemplateFailure(f"subelements needs a list at {'.'.join(steps)!r} in every item")
        made += [[item, part] for part in inner]
    return made


def rekey_on_member(items: Any, key: str, duplicates: str = "error") -> dict[Any, Any]:
    """Mappings of a list (or in a mapping) by what each has at `key`."""
    if duplicates not in ("error", "overwrite"):
        raise TemplateFailure(f"no duplicates={duplicates!r}", hint="error or overwrite")
    made: dict[Any, Any] = {}
    for item in items.values() if isinstance(items, Mapping) else _items(items, "rekey_on_member"):
        if not isinstance(item, Mapping) or key not in item:
            raise TemplateFailure(f"rekey_on_member needs mappings with {key!r}, not {item!r}")
        if item[key] in made and duplicates == "error":
            raise TemplateFailure(f"{key} {item[key]!r} is there twice", hint="duplicates='overwrite' takes the last")
        made[item[key]] = item
    return made


@pass_environment
def extract(environment: Any, key: Any, container: Any, morekeys: Any = None) -> Any:
    """The value at `key` in `container`, then at `morekeys` in that."""
    keys = [key] if morekeys is None else [key, *(morekeys if isinstance(morekeys, list) else [morekeys])]
    value = container
    for step in keys:
        value = environment.getitem(value, step)
    return value


def _bounded(rows: Iterable[tuple[Any, ...]], name: str) -> list[list[Any]]:
    made = [list(row) for row in itertools.islice(rows, _MOST_ROWS + 1)]
    if len(made) > _MOST_ROWS:
        raise TemplateFailure(f"{name} makes more than {_MOST_ROWS:,} rows")
    return made


def _items(value: Any, name: str) -> Iterable[Any]:
    _fail_if_undefined(value)
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise TemplateFailure(f"{name} needs a list, not {value!r}")
    return value


def _fail_if_undefined(value: Any) -> None:
    if isinstance(value, Undefined):
        value._fail_with_undefined_error()  # noqa: SLF001 - Jinja's way to use an undefined value


FILTERS: dict[str, Callable[..., Any]] = {
    "flatten": flatten,
    "unique": unique,
    "union": union,
    "intersect": intersect,
    "difference": difference,
    "symmetric_difference": symmetric_difference,
    "combine": combine,
    "dict2items": dict2items,
    "items2dict": items2dict,
    "zip": zip_lists,
    "zip_longest": zip_longest,
    "product": product,
    "subelements": subelements,
    "extract": extract,
    "rekey_on_member": rekey_on_member,
    "permutations": lambda items, size=None: _bounded(itertools.permutations(items, size), "permutations"),
    "combinations": lambda items, size: _bounded(itertools.combinations(items, size), "combinations"),
}
