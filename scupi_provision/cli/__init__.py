"""Arguments to request to exit code."""
