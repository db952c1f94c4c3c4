# Builds a source tree into a prefix of its own. Run as a durable job, after tree.sh: sh, tar, make, a compiler.
# shellcheck shell=sh
# shellcheck disable=SC2119,SC2120  # functions get their words by `eval "set -- …"`, not from their callers
# shellcheck disable=SC2154  # all of these are set ahead of this text:
#   archive build prefix strip subdir extract   what is unpacked where, and the text of extract.sh
#   autotools configurer configure make targets install jobs   words, quoted for `eval "set -- …"`
#   creates checks ok                    of tree.sh

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

phase unpack
unpack
make_configure
configure
compile_and_install
prove
seal
cd / && rm -rf -- "$build"
phase 'done'
