"""Intent and snapshot to plan: pure, frozen, printable."""
