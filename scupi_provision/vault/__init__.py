"""Ansible's vault: the format, the passwords that open it, and where those come from. Nothing here asks a terminal."""
