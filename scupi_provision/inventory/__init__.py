"""Hosts, groups, accounts and patterns."""
