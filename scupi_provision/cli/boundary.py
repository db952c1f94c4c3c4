"""The one error boundary: whatever happens below becomes a message and an exit code."""

from __future__ import annotations

import os
import platform
import sys
import traceback
from collections.abc import Callable

import scupi_provision
from scupi_provision.errors import InternalError, ProvisionError

EXIT_INTERRUPTED = 130
"""128 + SIGINT, as shells have it."""
EXIT_BROKEN_PIPE = 141
"""128 + SIGPIPE: whoever read our output has closed it."""


def guarded(work: Callable[[], int]) -> int:
    """Run `work` and return its exit code; report every error as a person would want it."""
    try:
        return work()
    except ProvisionError as error:
        report(error)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted; what was under way on the hosts is finished or joined by the next apply", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Python would complain once more when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE
    except Exception as error:  # noqa: BLE001 - the boundary: a bug must not look like a crash
        report(_bug(error))
        return InternalError.exit_code


def report(error: ProvisionError) -> None:
    """Print `error` on stderr."""
    from scupi_provision.report.errors import render_error  # noqa: PLC0415 - rich is slow to import
    from scupi_provision.report.style import open_console  # noqa: PLC0415

    render_error(error, open_console(sys.stderr))


def _bug(error: Exception) -> InternalError:
    trace = "".join(traceback.format_exception(error))
    versions = f"provision {scupi_provision.__version__}, Python {platform.python_version()}, {platform.platform()}"
    return InternalError(
        f"this is a bug in provision: {type(error).__name__}: {error}",
        detail=f"{versions}\n{trace}",
        hint="please report it with the text above; no secret is in it, but read it first",
    )
