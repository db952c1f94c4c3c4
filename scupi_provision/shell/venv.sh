# Makes a virtual environment at a path that nobody uses yet. Run as a job: sh, and the Python asked for.
# shellcheck shell=sh
# shellcheck disable=SC2154  # tree, python, options (quoted words) and ok are set ahead of this text

command -v "$python" >/dev/null 2>&1 || { printf '%s\n' "there is no $python on this host" >&2; exit 1; }
rm -rf -- "$tree" || exit 1
mkdir -p -- "${tree%/*}" || exit 1
eval "set -- $options"
"$python" -m venv "$@" "$tree" || exit 1
# Written last: a tree without it is what an interrupted run left.
printf %s "$ok" >"$tree/.ok.new" && mv -f -- "$tree/.ok.new" "$tree/.ok"
