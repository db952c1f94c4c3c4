"""Keys, known_hosts and ssh configuration."""
