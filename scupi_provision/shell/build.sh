# Builds a source tree into a prefix of its own. Run as a durable job, after tree.sh: sh, tar, make, a compiler.
# shellcheck shell=sh
# shellcheck disable=SC2119,SC2120  # functions get their words by `eval "set -- …"`, not from their callers
# shellcheck disable=SC2154  # all of these are set ahead of this text:
#   archive build prefix strip subdir extract   what is unpacked where, and the text of extract.sh
#   needs advice                         needs, each followed by the packages that bring it; what else there is to do
#   autotools configurer configure make targets install jobs   words, quoted for `eval "set -- …"`
#   creates checks ok                    of tree.sh

# --- what the host must have -----------------------------------------------------------------------------------------

has_header() {
  # shellcheck disable=SC2086  # flags are words
  printf '#include <%s>\n' "$1" | ${CC:-cc} ${CPPFLAGS-} ${CFLAGS-} -E - >/dev/null 2>&1
}

has_library() {
  probe=$(mktemp -d) || return 1
  # shellcheck disable=SC2086  # flags are words
  echo 'int main(void) { return 0; }' | ${CC:-cc} ${CFLAGS-} ${LDFLAGS-} -x c - -o "$probe/a" "-l$1" >/dev/null 2>&1
  status=$?
  rm -rf -- "$probe"
  return "$status"
}

has_package() { # NAME, or NAME>=VERSION and the like
  name=${1%%[<>=]*} bound=${1#"${1%%[<>=]*}"}
  version=${bound##*[<>=]}
  pkg-config --exists "$name ${bound%"$version"} $version" 2>/dev/null
}

has() {
  case $1 in
    program:*) command -v "${1#program:}" >/dev/null 2>&1 ;;
    header:*) has_header "${1#header:}" ;;
    library:*) has_library "${1#library:}" ;;
    pkg:*) has_package "${1#pkg:}" ;;
  esac
}

has_any() { # A|B|C
  rest=$1
  while ! has "${rest%%|*}"; do
    [ "${rest#*|}" != "$rest" ] || return 1
    rest=${rest#*|}
  done
}

in_words() { # A|B|C
  rest=$1 said=
  while :; do
    one=${rest%%|*}
    said="$said${said:+, or }${one%%:*} ${one#*:}"
    [ "$one" != "$rest" ] || break
    rest=${rest#*|}
  done
}

# Everything that is missing is told at once, before minutes of work.
check_needs() {
  missing=
  eval "set -- $needs"
  while [ $# -gt 0 ]; do
    if ! has_any "$1"; then
      in_words "$1"
      missing="$missing
  $said${2:+: $2}"
    fi
    shift 2
  done
  [ -z "$missing" ] || stop "this host lacks what the build needs:$missing
${advice:-Ask the administrator for these, load a module that has them, or build them below the home first and name their folders in CPPFLAGS and LDFLAGS (environment).}"
}

# --- the steps -------------------------------------------------------------------------------------------------------

unpack() {
  # A prefix without .ok is what an interrupted build left.
  rm -rf -- "$prefix" "$build" || exit 1
  mkdir -p -- "$build" "${prefix%/*}" || exit 1
  /bin/sh -c "$extract" extract "$archive" "$build" "$strip" '' || exit 1
  # A folder of the source has the project in it; one that is not there is made, and the build runs there.
  top=$build place=$build
  if [ -n "$subdir" ]; then
    place=$build/$subdir
    if [ -d "$place" ]; then top=$place; else mkdir -p -- "$place" || exit 1; fi
  fi
  cd -- "$top" || exit 1
}

# autoreconf runs aclocal, libtoolize, autoconf, autoheader and automake in this order, each where the project uses it.
make_configure() {
  if [ "$autotools" = autoreconf ]; then
    phase autoreconf
    autoreconf -fi || stop 'autoreconf failed'
  elif [ "$autotools" = never ] || [ -e configure ]; then
    return
  elif [ -f Makefile ] && grep -q '^configure:' Makefile; then
    phase 'make configure'
    make configure || stop 'make configure failed (it needs autoconf)'
  elif [ -f configure.ac ] || [ -f configure.in ]; then
    phase autoreconf
    autoreconf -fi || stop 'autoreconf failed (it needs autoconf, and often automake and libtool)'
  fi
}

configure() {
  cd -- "$place" || exit 1
  eval "set -- $configurer"
  if [ $# -eq 0 ]; then
    [ -e "$top/configure" ] || return 0
    if [ "$top" = "$place" ]; then set -- ./configure "--prefix=$prefix"; else set -- "$top/configure" "--prefix=$prefix"; fi
  fi
  phase configure
  eval "set -- \"\$@\" $configure"
  "$@" || stop 'configure failed'
}

compile_and_install() {
  phase make
  eval "set -- $make $targets"
  make -j"$jobs" "$@" || stop 'make failed'
  phase install
  eval "set -- $make $install"
  make "$@" || stop 'make install failed'
}

phase check
check_needs
phase unpack
unpack
make_configure
configure
compile_and_install
prove
seal
cd / && rm -rf -- "$build"
phase 'done'
