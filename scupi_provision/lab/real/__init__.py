"""The real two-node cluster: OpenSSH's sshd on two nodes made of Linux namespaces. Needs root."""
