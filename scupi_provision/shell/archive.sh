# Packs files into an archive, or compresses one file; the archive takes its name when it is whole. dest, root, program,
# packed, mode and members (quoted words, relative to root) are set ahead of this text.
# shellcheck shell=sh
# shellcheck disable=SC2154  # see above

stop() { rm -f -- "$made"; echo "$1" >&2; exit 1; }
made=$dest.provision-$$
[ "$program" = tar ] || command -v "$program" >/dev/null 2>&1 || { echo "$program is not on this host" >&2; exit 69; }
cd -- "$root" || exit 1
eval "set -- $members"

pack() { # NAME…: as a tar archive, folders without what is in them: that is named as well
  case $(tar --version 2>/dev/null) in
    *'GNU tar'*) printf '%s\0' "$@" | tar -c --no-recursion --null -T - -f - ;;
    *)
      for name do
        shift
        if [ ! -d "$name" ] || [ -L "$name" ] || [ -z "$(ls -A -- "$name")" ]; then set -- "$@" "$name"; fi
      done
      tar -c -f - -- "$@"
      ;;
  esac
}

# The status of the first program of a pipe is lost, so it is written down.
case $packed:$program in
  yes:zip) (zip -q -X - -- "$@" >"$made") || stop "zip could not pack" ;;
  yes:tar) pack "$@" >"$made" || stop "tar could not pack" ;;
  yes:*)
    { pack "$@" || : >"$made.failed"; } | "$program" -c >"$made" || stop "$program could not compress"
    [ ! -e "$made.failed" ] || { rm -f -- "$made.failed"; stop "tar could not pack"; }
    ;;
  *) "$program" -c <"$1" >"$made" || stop "$program could not compress" ;;
esac
[ -z "$mode" ] || chmod -- "$mode" "$made" || stop "cannot set mode $mode"
mv -f -- "$made" "$dest" || stop "cannot replace $dest"
