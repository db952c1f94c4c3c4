"""`python -B FOLDER …`: the folder is the package, whatever it is called (PEP 366); -B leaves it as it was copied."""

from __future__ import annotations

import os
import sys

if not __package__:
    _folder = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - before anything else is imported
    sys.path[0] = os.path.dirname(_folder)  # noqa: PTH120
    __package__ = os.path.basename(_folder)  # noqa: PTH119
    __import__(__package__)

from .program import main

sys.exit(main())
