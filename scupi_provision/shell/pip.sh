# Runs pip in a virtual environment and leaves a stamp when it ended well. Run as a durable job.
# shellcheck shell=sh
# shellcheck disable=SC2154  # python, arguments (quoted words) and stamp are set ahead of this text

[ -x "$python" ] || { printf '%s\n' "$python is not there: make the virtual environment first" >&2; exit 1; }
eval "set -- $arguments"
"$python" -m pip "$@" || exit 1
mkdir -p -- "${stamp%/*}" && : >"$stamp"
