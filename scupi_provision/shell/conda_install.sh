# Runs an installer of conda (constructor's: a script with the packages appended). Run as a durable job, after
# tree.sh: sh, coreutils.
# shellcheck shell=sh
# shellcheck disable=SC2154  # all of these are set ahead of this text:
#   installer prefix update    what is run, where it installs to, and `yes` when a conda is there to be updated
#   glibc                      of the oldest node that will run it; empty where it is not known
#   claim                      a file that says which directory is ours while it is being made
#   program mark ok            what must be there afterwards; the mark that is written last, and its text

# The installer's header says which C library its programs need: constructor writes min_glibc_version="2.17" there.
check_floor() {
  floor=$(head -c 65536 -- "$installer" | LC_ALL=C sed -n \
    -e '/^@@END_HEADER@@/q' -e 's/^[[:space:]]*min_glibc_version="\{0,1\}\([0-9][0-9.]*\)"\{0,1\}.*$/\1/p' | head -n 1)
  if [ -z "$floor" ] || [ -z "$glibc" ]; then return; fi
  least=$(printf '%s\n' "$floor" "$glibc" | sort -t . -k 1,1n -k 2,2n | head -n 1)
  [ "$least" = "$floor" ] || stop "this installer needs glibc $floor, and here it is $glibc
Take Miniforge (it needs 2.17; conda_distribution: miniforge), or micromamba, or Python without conda (role python)."
}

identity() { stat -c '%d:%i' -- "$prefix"; }

# What an interrupted run has left is removed, but only when it is that very directory; other people's stay.
make_room() {
  [ -e "$prefix" ] || [ -L "$prefix" ] || return 0
  made=
  if [ -r "$claim" ]; then read -r made <"$claim"; fi
  if [ -n "$made" ] && [ "$made" = "$(identity)" ]; then
    echo "removing what an interrupted run left in $prefix"
    rm -rf -- "$prefix" || exit 1
  elif [ -r "$claim" ] && [ -z "$made" ] && ! [ -e "$prefix/conda-meta/history" ]; then
    # It was stopped in the moment in which the directory appeared: whose it is cannot be told.
    aside=$prefix.unfinished-$(date +%Y%m%d%H%M%S)
    mv -T -- "$prefix" "$aside" || exit 1
    echo "moved what stood in the way to $aside"
  else
    rmdir -- "$prefix" 2>/dev/null || { rm -f -- "$claim"; stop "$prefix is there, and provision did not make it.
If conda works there, apply again: it will be used as it is. Else move it away, or choose another conda_prefix."; }
  fi
}

# The directory is noted as ours as soon as the installer has made it.
install_anew() {
  mkdir -p -- "${claim%/*}" "${prefix%/*}" && : >"$claim" || exit 1
  /bin/sh "$installer" -b -p "$prefix" &
  pid=$!
  until [ -d "$prefix" ] || ! kill -0 "$pid" 2>/dev/null; do sleep 0.1 2>/dev/null || sleep 1; done
  if [ -d "$prefix" ]; then identity >"$claim" || exit 1; fi
  wait "$pid" || stop 'the installer failed'
}

phase check
check_floor
if [ "$update" = yes ]; then
  phase update
  /bin/sh "$installer" -b -u -p "$prefix" || stop 'the installer failed'
else
  make_room
  phase install
  install_anew
fi
phase test
"$program" --version || stop "$program does not run here"
mkdir -p -- "$prefix/envs" "${mark%/*}" && printf %s "$ok" >"$mark.new" && mv -f -- "$mark.new" "$mark" || exit 1
rm -f -- "$claim"
rmdir -- "${claim%/*}" 2>/dev/null
phase 'done'
