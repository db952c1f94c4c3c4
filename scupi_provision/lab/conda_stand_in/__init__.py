"""What answers to `conda` in a lab that cannot reach conda-forge: conda's commands on top of py-rattler.

The solver, the package format and the linking are real (rattler is what pixi uses); the program around them is not
conda's, and says so with every command. It runs on the lab's nodes, from the environment that the lab's installer
makes, so it imports nothing of provision and its own modules only relatively.

It knows what the roles conda and conda_env call and no more: create, install, remove, list --explicit, clean, and the
activation of environments.
"""

CONDA_VERSION = "26.3.2"
"""The conda whose commands are imitated: that of the Miniforge which the role conda installs by default."""
