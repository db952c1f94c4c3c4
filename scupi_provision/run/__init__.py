"""The verbs: they yield events and print nothing."""
