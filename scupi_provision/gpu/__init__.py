"""The probe that runs on the GPU node with the environment's own python; which torch suits which GPU node."""
