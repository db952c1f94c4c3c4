"""The JSON schema of an inventory in YAML, for editors."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]
_VARIABLES: Schema = {"type": ["object", "null"]}
_NAMES: Schema = {"type": ["array", "string"], "items": {"type": "string"}}
_ACCOUNT: Schema = {
    "type": "object",
    "required": ["id", "key"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": ["string", "integer"], "description": "The login name; leading zeros stay."},
        "key": {"type": "string", "description": "The private key on this computer."},
        "name": {"type": "string", "description": "Whose it is, for people."},
        "groups": {**_NAMES, "description": "Groups to which the account's hosts belong."},
        "hosts": {**_NAMES, "description": "The hosts that the account has (default: all)."},
        "vars": {**_VARIABLES, "description": "Variables of this account on every host."},
        "access": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "own_key": {"type": "boolean", "description": "Give the account a key of its own, and retire this one."}
            },
        },
    },
}


def inventory_schema() -> Schema:
    """The schema of `inventory.yaml`: groups with their hosts, groups below them and variables, and accounts."""
    group = {"$ref": "#/definitions/group"}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "An inventory of provision",
        "type": "object",
        "additionalProperties": group,
        "properties": {"accounts": {"$ref": "#/definitions/accounts"}},
        "definitions": {
            "accounts": {"type": ["array", "null"], "items": _ACCOUNT},
            "group": {
                "type": ["object", "null"],
                "additionalProperties": False,
                "properties": {
                    "hosts": {"type": ["object", "null"], "additionalProperties": _VARIABLES},
                    "children": {"type": ["object", "null"], "additionalProperties": group},
                    "vars": _VARIABLES,
                    "accounts": {"$ref": "#/definitions/accounts"},
                },
            },
        },
    }
