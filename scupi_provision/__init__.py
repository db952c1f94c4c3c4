"""Declarative, rootless provisioning: Ansible's language on a snapshot, plan, actions, proof engine."""

__version__ = "0.1.0"
