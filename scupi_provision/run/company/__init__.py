"""The hosts of one play together: batches, meetings, what each sees of the others (decision 0011)."""
