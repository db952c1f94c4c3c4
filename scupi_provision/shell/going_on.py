"""Commands that lead from a login node to the next one, for a person: by its ssh, or by a job."""

from __future__ import annotations

from scupi_provision.shell.words import words

_OWN_SHELL = 'exec "${SHELL:-/bin/sh}" -l'


def by_ssh(address: str, port: int, user: str, command: str, *, terminal: bool) -> str:
    """Log in on `address`, whose name `check_route` has checked, and run `command` there; "" for a shell."""
    login = ("ssh", "-t" if terminal else "-T", "-p", str(port), "-l", user, address)
    return words(*login, *([command] if command else []))


def by_job(node: str, limit: str, options: tuple[str, ...], command: str, *, terminal: bool) -> str:
    """Ask Slurm for a job on `node` and run `command` in it; "" for a shell of the account.

    Args:
        node: Its name; options that choose a node win.
        limit: The job's time limit, as Slurm writes it.
        options: Further ones of srun.
        command: Shell text.
        terminal: Whether it runs on a terminal.
    """
    is_chosen = any(option.startswith(("-w", "--nodelist")) for option in options)
    chosen = () if is_chosen else (f"--nodelist={node.partition('.')[0]}",)
    pty = ("--pty",) if terminal else ()
    job = ("--nodes=1", "--ntasks=1", f"--time={limit}")
    return words("srun", *pty, *job, *chosen, *options, "/bin/sh", "-c", command or _OWN_SHELL)
