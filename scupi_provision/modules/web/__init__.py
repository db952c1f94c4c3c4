"""Requests of the web that a host makes itself: what is asked, and what was answered."""
