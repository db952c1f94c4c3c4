"""Which keywords plays, blocks, tasks, role entries and loops have, as data: each name with the reader of its value."""

from __future__ import annotations

from collections.abc import Mapping

from scupi_provision.playbook.keywords import Reader
from scupi_provision.playbook.logins import (
    read_become,
    read_become_detail,
    read_become_user,
    read_connection,
    read_login,
    refuse_login,
)
from scupi_provision.playbook.module_defaults import read_module_defaults
from scupi_provision.playbook.rare_keywords import read_collections, read_debugger, read_timeout_of_facts, refuse_facts
from scupi_provision.playbook.scalars import (
    read_boolean,
    read_conditions,
    read_decimal,
    read_environment,
    read_identifier,
    read_number,
    read_optional_text,
    read_percentage,
    read_sizes,
    read_static_boolean,
    read_text_value,
    read_texts,
    read_variables,
    read_words,
    unread,
)

_EVERYWHERE: Mapping[str, Reader] = {
    "any_errors_fatal": read_boolean,
    "become": read_become,
    "become_exe": read_become_detail,
    "become_flags": read_become_detail,
    "become_method": read_become_detail,
    "become_user": read_become_user,
    "check_mode": read_boolean,
    "collections": read_collections,
    "debugger": read_debugger,
    "diff": read_boolean,
    "environment": read_environment,
    "ignore_errors": read_boolean,
    "ignore_unreachable": read_boolean,
    "module_defaults": read_module_defaults,
    "name": read_optional_text,
    "no_log": read_boolean,
    "run_once": read_boolean,
    "tags": read_words,
    "throttle": read_number,
    "timeout": read_number,
    "vars": read_variables,
}
"""What every level may say and hands down (but for the name)."""

_LOGIN_OF_PLAY: Mapping[str, Reader] = {"connection": read_connection, "remote_user": read_login, "port": read_login}
_LOGIN_OF_PART: Mapping[str, Reader] = dict.fromkeys(_LOGIN_OF_PLAY, refuse_login)
_INNER: Mapping[str, Reader] = {
    **_EVERYWHERE,
    **_LOGIN_OF_PART,
    "when": read_conditions,
    "delegate_to": read_text_value,
    "delegate_facts": read_boolean,
}

PLAY: Mapping[str, Reader] = {
    **_EVERYWHERE,
    **_LOGIN_OF_PLAY,
    "fact_path": refuse_facts,
    "force_handlers": read_boolean,
    "gather_facts": read_boolean,
    "gather_subset": read_texts,
    "gather_timeout": read_timeout_of_facts,
    "handlers": unread,
    "hosts": read_texts,
    "max_fail_percentage": read_percentage,
    "order": read_text_value,
    "post_tasks": unread,
    "pre_tasks": unread,
    "roles": unread,
    "serial": read_sizes,
    "strategy": read_text_value,
    "tasks": unread,
    "user": read_login,
    "vars_files": unread,
    "vars_prompt": unread,
    "verify": read_texts,
    "verify_tasks": unread,
}
BLOCK: Mapping[str, Reader] = {
    **_INNER,
    "always": unread,
    "block": unread,
    "notify": read_texts,
    "rescue": unread,
}
TASK: Mapping[str, Reader] = {
    **_INNER,
    "action": unread,
    "args": unread,
    "async": read_number,
    "changed_when": read_conditions,
    "delay": read_decimal,
    "failed_when": read_conditions,
    "local_action": unread,
    "loop": unread,
    "loop_control": unread,
    "notify": read_texts,
    "poll": read_number,
    "register": read_identifier,
    "retries": read_number,
    "until": read_conditions,
}
HANDLER: Mapping[str, Reader] = {**TASK, "listen": read_texts}
LOOP_CONTROL: Mapping[str, Reader] = {
    "break_when": read_conditions,
    "extended": read_boolean,
    "extended_allitems": read_boolean,
    "index_var": read_identifier,
    "label": read_text_value,
    "loop_var": read_identifier,
    "pause": read_decimal,
}
ROLE_ENTRY: Mapping[str, Reader] = {**_INNER, "role": read_text_value}
IMPORT_PLAYBOOK: Mapping[str, Reader] = {
    **_EVERYWHERE,
    **_LOGIN_OF_PART,
    "import_playbook": unread,
    "when": read_conditions,
}
PROMPT: Mapping[str, Reader] = {
    "confirm": read_static_boolean,
    "default": unread,
    "encrypt": read_text_value,
    "name": read_identifier,
    "private": read_static_boolean,
    "prompt": read_optional_text,
    "salt": read_text_value,
    "salt_size": read_number,
    "unsafe": read_static_boolean,
}
