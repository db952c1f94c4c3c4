"""`provision`, with two moments noted: the host has accepted the login; the run has what it wanted and hangs up.

    python timed_apply.py FILE apply site.yaml …    as `provision apply site.yaml …`

The transport is opened by one call, which returns when every hop is authenticated; `Fleet.close` lets go of the hosts.
FILE gets the monotonic times of that return and of that call. Nothing else differs from the real program.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from scupi_provision.cli.main import main
from scupi_provision.run import fleet


def _note_moments(file: Path) -> None:
    open_transport = fleet.open_transport  # type: ignore[attr-defined]  # patched where it is used, not where it is made
    close = fleet.Fleet.close

    def noted_open(*arguments: Any, **options: Any) -> Any:
        transport = open_transport(*arguments, **options)
        file.write_text(f"{time.monotonic()}\n", encoding="ascii")
        return transport

    def noted_close(self: fleet.Fleet) -> None:
        with file.open("a", encoding="ascii") as moments:
            moments.write(f"{time.monotonic()}\n")
        close(self)

    fleet.open_transport = noted_open  # type: ignore[attr-defined]
    fleet.Fleet.close = noted_close  # type: ignore[method-assign]


if __name__ == "__main__":
    _note_moments(Path(sys.argv[1]))
    main(sys.argv[2:])
