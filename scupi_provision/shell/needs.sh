# Says all that this host lacks for a build, before anything is downloaded: sh, and what is asked for.
# shellcheck shell=sh
# shellcheck disable=SC2154  # project, needs (quoted words) and advice are set ahead of this text:
#   needs    each followed by the packages that bring it, in words
#   advice   what else there is to do

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

advice=${advice:-"Ask the administrator for these, load a module that has them, or build them below the home first and \
name their folders in CPPFLAGS and LDFLAGS (environment)."}
missing='' newline='
'
eval "set -- $needs"
while [ $# -gt 0 ]; do
  if ! has_any "$1"; then
    in_words "$1"
    missing="$missing$newline  $said${2:+: $2}"
  fi
  shift 2
done
[ -z "$missing" ] && exit
printf '%s\n' "this host lacks what building $project needs:$missing" "$advice" >&2
exit 1
