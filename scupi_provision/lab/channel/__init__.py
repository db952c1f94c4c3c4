"""A conda channel made of real artefacts, for a lab that cannot reach conda-forge: real packages, real index."""
