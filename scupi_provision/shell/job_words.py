"""Programs about durable jobs on a host; they tell one fact, in base64, which `host/jobs.py` understands."""

from __future__ import annotations

from scupi_provision.shell.program import shell_source
from scupi_provision.shell.words import word, words

_SOURCE = "job_look.sh"


def every_job() -> str:
    """Asks for all jobs of the account, without their output."""
    return _told('for j_job in "$P_ROOT"/jobs/*; do [ -d "$j_job" ] || continue; j_look "$j_job"; done')


def more_of(job: str, out: int, err: int, most: int) -> str:
    """Asks how a job is, and what it has said behind so many bytes of its two outputs.

    Args:
        job: Its name.
        out: Bytes of its standard output that are known already.
        err: Likewise of its standard error.
        most: Bytes of each that are told at once.
    """
    look = f'j_job="$P_ROOT/jobs/"{word(job)}; [ ! -d "$j_job" ] || {{ j_look "$j_job"; j_more "$j_job" '
    return _told(f"{look}{words(str(out), str(err), str(most))}; }}")


def _told(command: str) -> str:
    return f'{shell_source(_SOURCE)}p_fact jobs "$({{ {command}; }} | j_encoded)"\n'
