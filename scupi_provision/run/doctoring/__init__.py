"""What `provision doctor` looks at beyond the way to a node, and what it makes of it."""
