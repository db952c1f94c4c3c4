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

LOOP_ADVICE = {
    "with_list": 'write `loop: "{{ … }}"`',
    "with_flattened": 'write `loop: "{{ … | flatten }}"`',
    "with_indexed_items": "write `loop:` and `loop_control: {index_var: NAME}`",
    "with_dict": 'write `loop: "{{ … | dict2items }}"`; item.key and item.value stay as they are',
    "with_sequence": 'write `loop: "{{ range(1, 5) | list }}"`',
    "with_nested": 'write `loop: "{{ first | product(second) | list }}"`',
    "with_cartesian": 'write `loop: "{{ first | product(second) | list }}"`',
    "with_together": 'write `loop: "{{ first | zip(second) | list }}"`',
    "with_subelements": "write `loop: \"{{ list | subelements('key') }}\"`",
    "with_fileglob": "name the files in a list",
    "with_filetree": "name the files in a list",
    "with_first_found": "name the file",
    "with_lines": "write a list",
    "with_file": "write a list of `lookup('file', …)`",
    "with_inventory_hostnames": 'write `loop: "{{ groups[…] }}"`',
    "with_random_choice": 'write `"{{ … | random }}"`',
}

NEEDS_ROOT = words(
    """
    apk apt apt_key apt_repository deb822_repository debconf dnf dnf5 dpkg_selections firewalld group hostname
    homebrew iptables mount package pacman package_facts parted reboot rpm_key seboolean selinux service
    service_facts subversion_package sysctl systemd systemd_service sysvinit timezone ufw user yum
    yum_repository zypper
    """
)
"""Modules that cannot do anything useful without root."""

OTHER_MODULES = words(
    """
    add_host assemble async_status cron expect fetch find gather_facts getent git group_by include_vars
    iptables_state known_hosts pause ping raw replace script set_stats setup slurp tempfile uri
    validate_argument_spec wait_for wait_for_connection archive authorized_key conda git_config ini_file npm
    synchronize xml sefcontext
    """
)
"""Other modules that people know from Ansible; those that the registry has are never looked up here."""
