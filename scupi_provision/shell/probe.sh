# Runs the GPU probe, which comes as a zip file on standard input, and leaves nothing of it.
# PYTHON: an interpreter, or '' for that of role torch; OPTIONS: the probe's, quoted.
# shellcheck shell=sh
# shellcheck disable=SC2154  # PYTHON, OPTIONS are set ahead of this text

python=${PYTHON:-$HOME/.provision/bin/gpu-python}
if ! command -v "$python" >/dev/null 2>&1; then
  echo "there is no $python on this host" >&2
  exit 127
fi
folder=$(mktemp -d "${TMPDIR:-/tmp}/provision-probe-XXXXXX") || exit 125
trap 'rm -rf -- "$folder"' EXIT
trap 'exit 143' HUP INT TERM
cat >"$folder/probe.pyz" || exit 125
# The probe chooses by itself: gpu-python shall not choose for it.
export PROVISION_GPUS=all
eval "set -- $OPTIONS"
"$python" -B "$folder/probe.pyz" "$@"
