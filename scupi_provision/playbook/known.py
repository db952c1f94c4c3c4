"""What Ansible 2.21 knows and we do not (yet): refused by name and with a reason, never ignored."""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """The words of a text: a page of names reads better without quotes and commas."""
    return frozenset(text.split())


_SHARED = words(
    """
    any_errors_fatal become become_exe become_flags become_method become_user check_mode collections connection
    debugger diff environment ignore_errors ignore_unreachable module_defaults name no_log port remote_user
    run_once tags throttle timeout vars
    """
)
PLAY_KEYWORDS = _SHARED | words(
    """
    fact_path force_handlers gather_facts gather_subset gather_timeout handlers hosts max_fail_percentage order
    post_tasks pre_tasks roles serial strategy tasks validate_argspec vars_files vars_prompt
    """
)
BLOCK_KEYWORDS = _SHARED | words("block rescue always when notify delegate_to delegate_facts")
TASK_KEYWORDS = _SHARED | words(
    """
    action local_action args async poll changed_when failed_when delay retries until loop loop_control notify
    register when delegate_to delegate_facts listen
    """
)
LOOP_CONTROL_KEYWORDS = words("break_when extended extended_allitems index_var label loop_var pause")
ROLE_ENTRY_KEYWORDS = _SHARED | words("role when delegate_to delegate_facts")

PENDING = words("")
"""Keywords that are read but not acted on yet, and so still refused. Whoever makes one work takes it from here."""

META_ACTIONS = words(
    """
    flush_handlers noop end_play end_host end_batch end_role clear_facts clear_host_errors refresh_inventory
    reset_connection
    """
)
META_PENDING = words("")
"""What `meta:` does, and what it does not do yet (as with PENDING)."""
