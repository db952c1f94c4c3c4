# Unpacks an archive into a directory. Run as a job: sh, tar (gzip, bzip2, xz as the archive needs) or unzip.
# set -- ARCHIVE DIRECTORY STRIP EMPTY_FIRST OPTIONS… and members (quoted words) come before this text.
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154  # strip is used by eval; members is set ahead of this text
# shellcheck disable=SC2329  # `plain` is called through a variable

archive=$1 directory=$2 strip=$3 empty_first=$4
shift 4

if [ -n "$empty_first" ]; then rm -rf "$directory" || exit 1; fi
mkdir -p "$directory" || exit 1

case $archive in
  *.zip | *.whl)
    command -v unzip >/dev/null 2>&1 || { echo 'unzip is not on this host' >&2; exit 69; }
    eval "exec unzip -q -o \"\$@\" \"\$archive\" $members -d \"\$directory\""
    ;;
  *.gz | *.tgz) decompress=gzip ;;
  *.bz2 | *.tbz2) decompress=bzip2 ;;
  *.xz | *.txz) decompress=xz ;;
  *.zst | *.tzst) decompress=zstd ;;
  *) decompress=plain ;;
esac
plain() { cat; }
command -v "$decompress" >/dev/null 2>&1 || { echo "$decompress is not on this host, $archive needs it" >&2; exit 69; }
# The status of the first program of a pipe is lost, so it is written down; a torn archive must not pass for whole.
{ "$decompress" -dc <"$archive" 2>"$directory/.decompress" || echo failed >>"$directory/.decompress"; } |
  eval "tar -x -f - -C \"\$directory\" --no-same-owner --strip-components=\"\$strip\" \"\$@\" -- $members"
status=$?
if [ -s "$directory/.decompress" ]; then
  cat "$directory/.decompress" >&2
  status=1
fi
rm -f "$directory/.decompress"
exit "$status"
