"""`provision`, with the moment noted at which the host has accepted the login.

    python timed_apply.py FILE apply site.yaml …    as `provision apply site.yaml …`

The transport is opened by one call, which returns when every hop is authenticated; FILE gets the monotonic time of
that return. Nothing else differs from the real program.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from scupi_provision.cli.main import main
from scupi_provision.run import fleet


def _note_logins(file: Path) -> None:
    real = fleet.open_transport  # type: ignore[attr-defined]  # patched where it is used, not where it is made

    def noted(*arguments: Any, **options: Any) -> Any:
        transport = real(*arguments, **options)
        file.write_text(repr(time.monotonic()), encoding="ascii")
        return transport

    fleet.open_transport = noted  # type: ignore[attr-defined]


if __name__ == "__main__":
    _note_logins(Path(sys.argv[1]))
    main(sys.argv[2:])
