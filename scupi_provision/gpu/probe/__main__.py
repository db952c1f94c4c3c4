"""`python -B FOLDER …`: the folder is the package, whatever it is called; -B leaves it as it was copied."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path


def _package() -> str:
    if __package__:  # python -m
        return __package__
    folder = Path(__file__).absolute().parent
    sys.path[0] = str(folder.parent)
    return folder.name


sys.exit(importlib.import_module(f"{_package()}.program").main())
