"""Events to people and machines."""
