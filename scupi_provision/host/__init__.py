"""What is known of a host (facts, snapshot) and what a plan will have done to it (view, overlay)."""
