"""A `provision jupyter` that runs, seen by the person who has typed it."""

from __future__ import annotations

import re
import threading
import time

from newcomer import interrupt
from notebook_client import Notebook

PATIENCE_S = 60.0


class Served:
    """A `provision jupyter` that runs, and what it has said."""

    def __init__(self, person, *options):
        self.process = person.start("jupyter", "--ui", "none", "--no-browser", "--port", "0", *options)
        self.lines = []
        self._readers = [
            threading.Thread(target=self._read, args=(stream,), daemon=True)
            for stream in (self.process.stdout, self.process.stderr)
        ]
        for reader in self._readers:
            reader.start()
        try:
            self.notebook = Notebook(self.says(r"open (http://127\.0\.0\.1:\d+/\S*)")[1])
        except AssertionError:
            self.leave()
            raise

    def says(self, pattern):
        """Wait until a line matches; the match."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            over = not any(reader.is_alive() for reader in self._readers)
            for line in list(self.lines):
                if found := re.search(pattern, line):
                    return found
            assert not over, "\n".join(self.lines)
            time.sleep(0.05)
        raise AssertionError(f"not said: {pattern}\n" + "\n".join(self.lines))

    def leave(self):
        """Ctrl-C, unless it has ended by itself; the exit code."""
        if self.process.poll() is None:
            interrupt(self.process)
        code = self.process.wait(PATIENCE_S)
        for reader in self._readers:
            reader.join(PATIENCE_S)
        return code

    def _read(self, stream):
        with stream:
            for line in stream:
                self.lines.append(line.rstrip("\n"))
