"""Playbook text to typed intent: no network, all errors at once, every node with its position."""
