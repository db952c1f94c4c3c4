# `conda` by micromamba: written to PREFIX/etc/profile.d/conda.sh, read by the first `conda` of a shell.
# shellcheck shell=sh
# shellcheck disable=SC2154  # MAMBA_ROOT_PREFIX is set ahead of this text
export MAMBA_ROOT_PREFIX MAMBA_EXE="$MAMBA_ROOT_PREFIX/bin/micromamba"
eval "$("$MAMBA_EXE" shell hook --shell posix)"
conda() { micromamba "$@"; }
