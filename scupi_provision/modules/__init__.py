"""One file per module: its Args and its plan function. Nothing here reaches a host."""
