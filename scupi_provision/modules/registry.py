"""Every module there is, by name; and what is said of those that there is not."""

from __future__ import annotations

from scupi_provision.modules import (
    add_host,
    archive,
    assemble,
    assert_,
    async_status,
    authorized_key,
    blockinfile,
    command,
    conda_env,
    conda_install,
    copy,
    cron,
    debug,
    expect,
    expect_responses,
    fail,
    fetch,
    file,
    find_,
    gather_facts,
    get_url,
    git,
    git_config,
    group_by,
    include_vars,
    ini_file,
    known_hosts,
    lineinfile,
    path_entry,
    pause,
    ping,
    pip,
    prebuilt,
    raw,
    replace,
    script_file,
    set_fact,
    set_stats,
    setup,
    shell,
    shell_init,
    slurp,
    source_build,
    stat,
    synchronize,
    tempfile,
    template,
    torch_build,
    unarchive,
    uri,
    validate_argument_spec,
    venv,
    wait_for,
    wait_for_connection,
)
from scupi_provision.modules.contract import Module

_ALL = (
    add_host, archive, assemble, assert_, async_status, authorized_key, blockinfile, command, conda_env,
    conda_install, copy, cron, debug, expect, expect_responses, fail, fetch, file, find_, gather_facts, get_url,
    git, git_config, group_by, include_vars, ini_file, known_hosts, lineinfile, path_entry, pause, ping, pip,
    prebuilt, raw, replace, script_file, set_fact, set_stats, setup, shell, shell_init, slurp, source_build, stat,
    synchronize, tempfile, template, torch_build, unarchive, uri, validate_argument_spec, venv, wait_for,
    wait_for_connection,
)  # fmt: skip

MODULES: dict[str, Module] = {room.MODULE.name: room.MODULE for room in _ALL}
"""By canonical name."""

_BY_ANY_NAME = {name: module for module in MODULES.values() for name in (module.name, *module.aliases)}
_COLLECTIONS = ("ansible.builtin.", "ansible.legacy.", "scupi.provision.")


def find(name: str) -> Module | None:
    """The module that a playbook calls `name`: canonical, an alias, or fully qualified."""
    known = _BY_ANY_NAME.get(name)
    if known is not None:
        return known
    for collection in _COLLECTIONS:
        if name.startswith(collection):
            return MODULES.get(name.removeprefix(collection))
    return None


_INSTEAD = {
    "build it below the home (source_build), or install it with pip or conda": """
        apk apt apt_key apt_repo apt_repository deb822_repository debconf dnf dnf5 dpkg_selections flatpak
        homebrew package pacman pkgng portage rpm_key snap subscription_manager yum yum_repository zypper""",
    "run it in a job of the cluster, or by `command` with creates": """
        runit service supervisorctl systemd systemd_service sysvinit""",
    "no daemon runs for an account; use a container program that needs none (apptainer), by `command`": """
        docker_container docker_image""",
    "only an administrator can do this; nothing below the home needs it": """
        alternatives filesystem firewalld group hostname iptables locale_gen lvg lvol modprobe mount parted
        reboot seboolean selinux sysctl timezone ufw user""",
}
ROOT_ONLY: dict[str, str] = {name: way for way, names in _INSTEAD.items() for name in names.split()}
"""Modules that only root can use, and what to do instead."""

_OTHERS = """
    add_host archive assemble async_status authorized_key conda cron fetch find gather_facts getent git git_config
    group_by include_vars ini_file known_hosts npm package_facts pause raw replace script service_facts set_stats
    setup slurp synchronize tempfile uri validate_argument_spec wait_for wait_for_connection xml"""
LATER: frozenset[str] = frozenset(_OTHERS.split()) - frozenset(_BY_ANY_NAME)
"""Modules of Ansible that would work without root and that we do not have yet."""
