#!/bin/sh
#
# NAME:  Miniforge3
# VER:   @VERSION@
# PLAT:  @PLATFORM@
# LINES: @LINES@
# MD5:   @MD5@
#
# Not Miniforge: provision's lab cannot reach it. This installer takes the same options, and installs a base environment
# of real conda packages and a stand-in for the program conda (scupi_provision/lab/conda_stand_in).

unset LD_LIBRARY_PATH LD_PRELOAD PYTHONPATH PYTHONHOME

case $0 in
*.sh) ;;
*)
  echo 'Please run using "bash"/"dash"/"sh"/"zsh", but not "." or "source".' >&2
  exit 1
  ;;
esac

min_glibc_version="@GLIBC@"

usage="
usage: $0 [options]

Installs the stand-in of provision's lab for Miniforge3 @VERSION@

-b           run install in batch mode (without manual intervention)
-f           no error if install prefix already exists
-h           print this help message and exit
-p PREFIX    install prefix, must not contain spaces
-u           update an existing installation
"

die() {
  printf 'ERROR: %s\n' "$1" >&2
  exit 1
}

require_glibc() {
  system_glibc_version=${CONDA_OVERRIDE_GLIBC:-$(ldd --version 2>/dev/null | awk 'NR == 1 { print $NF }')}
  lowest=$(printf '%s\n' "$min_glibc_version" "$system_glibc_version" |
    awk -F . '{ n = $1 * 1000 + $2; if (NR == 1 || n < least) { least = n; text = $0 } } END { print text }')
  [ "$lowest" = "$min_glibc_version" ] && return
  printf 'Installer requires GLIBC >=%s, but system has %s.\n' "$min_glibc_version" "$system_glibc_version" >&2
  exit 1
}

prefix='' batch=0 force=0
while getopts bfhp:u option; do
  case $option in
  b) batch=1 ;;
  f | u) force=1 ;;
  p) prefix=$OPTARG ;;
  h)
    printf '%s\n' "$usage"
    exit 0
    ;;
  *)
    printf '%s\n' "$usage" >&2
    exit 1
    ;;
  esac
done

echo "this is not Miniforge but the stand-in of provision's lab" >&2
[ "$batch" = 1 ] || die 'the stand-in asks no questions: give -b'
[ -n "$prefix" ] || die 'give the prefix: -p PREFIX'
case $prefix in
*' '*) die 'Cannot install into directories with spaces' ;;
esac
if [ "$force" = 0 ] && [ -e "$prefix" ]; then
  printf "ERROR: File or directory already exists: '%s'\n" "$prefix" >&2
  echo 'If you want to update an existing installation, use the -u option.' >&2
  exit 1
fi
require_glibc

mkdir -p "$prefix" || die "Could not create directory: '$prefix'"
prefix=$(cd "$prefix" && pwd) || exit 1
printf 'PREFIX=%s\n' "$prefix"

if ! tail -n +@LINES@ "$0" | md5sum - | grep -q '^@MD5@ '; then
  echo 'WARNING: md5sum mismatch of tar archive' >&2
fi
echo 'Unpacking payload...'
tail -n +@LINES@ "$0" | (cd "$prefix" && tar -xzf -) || die 'the payload cannot be unpacked'

# The base environment is linked out of the unpacked packages, by the python among them.
cd "$prefix" || exit 1
PYTHONPATH=$prefix/@RATTLER@:$prefix/@STAND_IN@ CONDA_PKGS_DIRS=$prefix/pkgs PYTHONDONTWRITEBYTECODE=1 \
  "$prefix/@PYTHON@" -m conda_stand_in constructor "$prefix" "file://$prefix/pkgs/channel" @SPECS@ ||
  die 'the base environment cannot be linked'
rm -rf "$prefix/pkgs"
echo 'installation finished.'
exit 0
# shellcheck disable=SC2317  # the end of the text, as constructor marks it; the packages follow
@@END_HEADER@@
