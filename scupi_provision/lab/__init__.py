"""The embedded two-node cluster."""
