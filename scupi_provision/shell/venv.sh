# Makes a virtual environment at a path that nobody uses yet. Run as a job: sh, and the Python asked for.
# shellcheck shell=sh
# shellcheck disable=SC2154  # all of these are set ahead of this text:
#   tree python options              where, with which Python, and words for whatever makes it
#   maker program                    venv, virtualenv or uv, and where the latter two are
#   folders download                 folders with get-pip.py (quoted words), and the text of download.sh
#   ok                               written last
# PROVISION_INDEX: the package index for get-pip and uv; without it, their own.

stop() { printf '%s\n' "$1" >&2; exit 1; }

by_venv() {
  if "$python" -c 'import ensurepip' 2>/dev/null; then
    "$python" -m venv "$@" "$tree" || exit 1
  else
    "$python" -m venv --without-pip "$@" "$tree" || exit 1
    get_pip
  fi
}

# The script for this Python: bootstrap.pypa.io keeps the last one that an old Python understands in pip/<version>.
get_pip() {
  version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])') || exit 1
  case $version in 2.7 | 3.[2-9]) name=pip/$version/get-pip.py ;; *) name=get-pip.py ;; esac
  [ -n "$folders" ] || stop "$python has no ensurepip to install pip with (on Debian it is in python3-venv). \
Name folders with get-pip.py (get_pip), take another Python (role python), or make the environment with virtualenv"
  eval "set -- $folders"
  for folder do
    set -- "$@" "$folder/$name"
    shift
  done
  echo "getting pip for Python $version: $python has no ensurepip"
  part=$tree/get-pip.py sha256='' limit=600 window=30 /bin/sh -c "$download" download "$@" ||
    stop 'get-pip.py cannot be had'
  PIP_DISABLE_PIP_VERSION_CHECK=1 "$tree/bin/python" "$tree/get-pip.py" || stop 'get-pip.py failed'
  rm -f -- "$tree/get-pip.py"
}

by_virtualenv() {
  has_program "virtualenv is not there: install it with pip in an environment of its own"
  "$program" --quiet --no-periodic-update --python "$python" "$@" "$tree" || exit 1
}

# uv's cache locks, which a home on NFS may not have; and it would fetch a Python of its own where it finds none.
by_uv() {
  has_program "uv is not there: install it with pip in an environment of its own"
  UV_CACHE_DIR=${UV_CACHE_DIR:-${TMPDIR:-/tmp}/uv-$(id -u)} UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
  export UV_CACHE_DIR UV_LINK_MODE UV_PYTHON_DOWNLOADS
  "$program" venv --quiet --no-config --python "$python" "$@" "$tree" || exit 1
  # Later installs go by pip. The one that the Python has for ensurepip is unpacked by uv, in no time and without a download.
  # Distributions may keep it in a folder of their own (configure --with-wheel-pkg-dir; Debian and Fedora do).
  wheels=$("$python" -c 'import ensurepip, sysconfig
print(sysconfig.get_config_var("WHEEL_PKG_DIR") or ensurepip.__path__[0] + "/_bundled")' 2>/dev/null)
  add_pip --no-index --find-links "$wheels" 2>/dev/null || add_pip || exit 1
}

add_pip() { "$program" pip install --quiet --no-config --python "$tree/bin/python" "$@" pip; }

has_program() { command -v "$program" >/dev/null 2>&1 || stop "$1, or name its path (program)"; }

command -v "$python" >/dev/null 2>&1 || stop "there is no $python on this host"
if [ -n "${PROVISION_INDEX-}" ]; then
  export PIP_INDEX_URL="$PROVISION_INDEX" UV_INDEX_URL="$PROVISION_INDEX"
fi
rm -rf -- "$tree" || exit 1
mkdir -p -- "${tree%/*}" || exit 1
eval "set -- $options"
"by_$maker" "$@"
"$tree/bin/python" -m pip --version || stop "the environment has no pip that works"
# Written last: a tree without it is what an interrupted run left.
printf %s "$ok" >"$tree/.ok.new" && mv -f -- "$tree/.ok.new" "$tree/.ok"
