"""Jupyter on a GPU node: what an environment has, one server for each, and the line from a port here to its socket."""
