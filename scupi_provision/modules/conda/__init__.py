"""What the modules `conda_install` and `conda_env` are made of."""
