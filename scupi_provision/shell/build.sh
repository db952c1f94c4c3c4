# Builds a source tree into a prefix of its own. Run as a durable job: sh, tar, make, a compiler.
# shellcheck shell=sh
# shellcheck disable=SC2154  # all of these are set ahead of this text:
#   archive build prefix strip extract   what is unpacked where, and the text of extract.sh
#   needs autotools configure make jobs install   words, quoted for `eval "set -- …"`
#   creates ok                           what must be there before `.ok` says that the tree is whole

phase() {
  printf '== %s ==\n' "$1"
  [ -z "${PROVISION_JOB-}" ] || printf '%s\n' "$1" >"$PROVISION_JOB/phase"
}
stop() { printf '%s\n' "$1" >&2; exit 1; }

has_header() {
  # shellcheck disable=SC2086  # flags are words
  printf '#include <%s>\n' "$1" | ${CC:-cc} ${CPPFLAGS-} ${CFLAGS-} -E - >/dev/null 2>&1
}

# Everything that is missing is told at once, before minutes of work.
check_needs() {
  missing=
  eval "set -- $needs"
  for need do
    case $need in
      program:*) command -v "${need#program:}" >/dev/null 2>&1 || missing="$missing
  program ${need#program:}" ;;
      header:*) has_header "${need#header:}" || missing="$missing
  header ${need#header:} (a -dev or -devel package, or one built below the home and named in CPPFLAGS)" ;;
    esac
  done
  [ -z "$missing" ] || stop "this host lacks what the build needs:$missing
Ask the administrator for these, load a module that has them, or build them below the home first."
}

make_configure() {
  [ "$autotools" = auto ] && ! [ -e configure ] || return 0
  if [ -f Makefile ] && grep -q '^configure:' Makefile; then
    phase 'make configure'
    make configure
  elif [ -f configure.ac ] || [ -f configure.in ]; then
    phase autoreconf
    autoreconf -fi
  fi
}

phase check
check_needs
phase unpack
# A prefix without .ok is what an interrupted build left.
rm -rf -- "$prefix" "$build" || exit 1
mkdir -p -- "$build" "${prefix%/*}" || exit 1
/bin/sh -c "$extract" extract "$archive" "$build" "$strip" '' || exit 1
cd -- "$build" || exit 1
make_configure || stop 'configure could not be made'
if [ -e configure ]; then
  phase configure
  eval "set -- $configure"
  ./configure "--prefix=$prefix" "$@" || stop 'configure failed'
fi
phase make
eval "set -- $make"
make -j"$jobs" "$@" || stop 'make failed'
phase install
eval "set -- $make $install"
make "$@" || stop 'make install failed'
eval "set -- $creates"
for path do
  [ -e "$prefix/$path" ] || stop "the build ended well, but did not install $path"
done
printf %s "$ok" >"$prefix/.ok.new" && mv -f -- "$prefix/.ok.new" "$prefix/.ok" || exit 1
cd / && rm -rf -- "$build"
phase 'done'
