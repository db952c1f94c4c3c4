# The part of provision that runs on the host: POSIX sh and coreutils, nothing else.
# Sent ahead of every program and evaluated; it only defines functions and sets up the channels.
#   fd 3  events to the controller: NONCE SEQ KIND ARGS…, one line each; free text is base64
#   fd 4  the controller's side of the line: end of file means that the controller is gone
# `set -e` is ignored in conditions (POSIX XCU 2.14), so every status is checked by hand.
# shellcheck shell=sh
# shellcheck disable=SC2030,SC2031  # a PATH set in a subshell is meant for that subshell
# shellcheck disable=SC2034,SC2153,SC2154  # P_NONCE, P_RUN, P_RUNID are set by the program; P_ROOT, P_LOCKED used in jobs.sh

P_SEQ=0 P_BROUGHT='' P_STOP='' P_STEP='' P_LOCKED='' P_WHY='' P_NEARS=0
P_ROOT=$HOME/.provision

P_NL='
'
p_emit() { P_SEQ=$((P_SEQ + 1)); p_put "$P_NONCE $P_SEQ $*$P_NL" >&3; }
p_b64() { base64 | tr -d '\n'; }
p_text() { if [ -s "$1" ]; then tail -c "${2:-65536}" -- "$1" | p_b64; else printf '='; fi; }
p_say() { if [ -n "$1" ]; then p_put "$1" | p_b64; else printf '='; fi; }

# p_quote TEXT: TEXT as a shell word
p_quote() {
  p_rest=$1 p_quoted=
  while :; do
    case $p_rest in
      *\'*) p_quoted=$p_quoted${p_rest%%\'*}"'\\''" p_rest=${p_rest#*\'} ;;
      *) break ;;
    esac
  done
  p_put "'$p_quoted$p_rest'"
}

# What every program that we run finds in its environment. The account's own PATH, unless it has lost even `ls`.
p_environment() {
  p_user=$(id -un)
  p_search=$P_PATH
  PATH=$P_PATH command -v ls >/dev/null 2>&1 || p_search=$P_PATH:/usr/local/bin:/usr/bin:/bin
  P_ENVIRONMENT="export HOME=$(p_quote "$HOME") USER=$(p_quote "$p_user") LOGNAME=$(p_quote "$p_user")"
  P_ENVIRONMENT="$P_ENVIRONMENT SHELL=$(p_quote "${SHELL:-/bin/sh}") LANG=$(p_quote "${P_LANG:-C}")"
  P_ENVIRONMENT="$P_ENVIRONMENT PATH=$(p_quote "$p_search")"
  # In the lab two nodes share one machine, whose /etc/profile must not give a node the PATH of the other.
  if [ -n "${PROVISION_LAB_PATH-}" ]; then
    P_ENVIRONMENT="$P_ENVIRONMENT PROVISION_LAB_PATH=$(p_quote "$PROVISION_LAB_PATH")"
  fi
  # In a job the scheduler has chosen the GPUs; a program that would choose one itself must see that.
  for p_name in ${SLURM_JOB_ID:+SLURM_JOB_ID CUDA_VISIBLE_DEVICES}; do
    eval "p_value=\${$p_name-none}"
    [ "$p_value" = none ] || P_ENVIRONMENT="$P_ENVIRONMENT $p_name=$(p_quote "$p_value")"
  done
}

# p_pour BYTES: takes so many bytes off the line, and not one more. Without fullblock dd may come back with less than asked.
p_pour() {
  p_whole=$(($1 / 65536)) p_left=$(($1 % 65536))
  if [ -n "$P_FULL" ]; then
    { dd bs=65536 count="$p_whole" iflag=fullblock; dd bs="$p_left" count=1 iflag=fullblock; } 2>/dev/null
  else
    dd bs=1 count="$1" 2>/dev/null
  fi <&4
}

# Large contents follow the program on the line and go straight to files. Where they cannot be kept they are taken off the
# line all the same: what is left there would be read as the next program.
p_blob() { # SHA256 SIZE
  p_file=$P_RUN/blob-$1
  p_pour "$2" | { cat >"$p_file" || cat >/dev/null; } 2>/dev/null
  if [ -f "$p_file" ] && p_digest "$p_file" && [ "$P_DIGEST" = "$1" ]; then return; fi
  P_STOP=failed
  p_emit denied "$(p_say "a file could not be received whole in $P_RUN (disk full, or over quota?)")"
}

p_open_run() {
  P_STOP='' P_NEAR='' P_LEFT='' P_RUN=$P_ROOT/runs/$P_RUNID
  if ( umask 077; mkdir -p -- "$P_RUN" && : >"$P_RUN/err" && echo "$P_NODE $P_BOOT $$" >"$P_RUN/owner" ) 2>/dev/null; then
    [ -n "${P_ENVIRONMENT-}" ] || p_environment
  else
    P_STOP=failed
    p_emit denied "$(p_say "cannot write in $P_RUN (disk full, over quota, or not writable?)")"
  fi
}

# Logs stay when something went wrong, and so does the note of what is left over; contents never do.
p_close_run() {
  if [ -z "$P_STOP$P_LEFT" ]; then rm -rf -- "$P_RUN"; else rm -f -- "$P_RUN"/blob-*; fi
}

# --- what is at a path -------------------------------------------------------------------------------------------

p_kind() {
  if [ -L "$1" ]; then P_KIND=l
  elif [ -d "$1" ]; then P_KIND=d
  elif [ -f "$1" ]; then P_KIND=f
  elif [ -e "$1" ]; then P_KIND=o
  else P_KIND=-; fi
}

p_digest() { P_DIGEST=$(sha256sum <"$1") && P_DIGEST=${P_DIGEST%% *}; }

# p_holds PATH KIND MODE DIGEST TARGET: whether PATH still is what the plan saw; an empty word is not compared.
p_holds() {
  p_kind "$1"
  [ "$P_KIND" = "$2" ] || { P_WHY="$1 is now of kind $P_KIND, the plan saw $2"; return 1; }
  if [ -n "$3" ] && [ "$(stat -c %a -- "$1")" != "$3" ]; then P_WHY="$1 has another mode than $3"; return 1; fi
  if [ -n "$4" ]; then
    p_digest "$1" || return 1
    [ "$P_DIGEST" = "$4" ] || { P_WHY="the content of $1 has changed"; return 1; }
  fi
  if [ -n "$5" ] && [ "$(readlink -n -- "$1" && echo .)" != "$5." ]; then P_WHY="$1 points elsewhere"; return 1; fi
}

p_expect() { p_holds "$@" || { P_STOP=stale; return 1; }; }

# p_is_named PATH: whether what a glob gave is there; shells do not agree whether `.*` means `.` and `..`, too.
p_is_named() {
  case ${1##*/} in . | ..) return 1 ;; esac
  [ -e "$1" ] || [ -L "$1" ]
}

# p_expect_names DIGEST FOUND…: whether a glob finds what the plan saw; an unmatched pattern stays itself.
p_expect_names() {
  p_sum=$1; shift
  p_got=$(for p_path do
    if p_is_named "$p_path"; then p_put "$p_path$P_NL"; fi
  done | sort | sha256sum)
  [ "${p_got%% *}" = "$p_sum" ] || { P_STOP=stale P_WHY='other files than the plan saw match a pattern'; return 1; }
}

# --- reading many paths at once ----------------------------------------------------------------------------------

# p_entries PATH…: kinds of all, then mode, size and owner of what exists, hashes of readable files, targets of links.
p_entries() {
  p_kinds=''
  for p_path do
    p_kind "$p_path"
    if [ "$P_KIND" = f ] && ! [ -r "$p_path" ]; then P_KIND=u; fi
    p_kinds=$p_kinds$P_KIND
  done
  p_emit kinds "$p_kinds"
  p_some=$p_kinds p_count=$#
  while [ "$p_count" -gt 0 ]; do
    p_path=$1; shift; p_count=$((p_count - 1))
    case $p_some in -*) ;; *) set -- "$@" "$p_path" ;; esac
    p_some=${p_some#?}
  done
  p_emit stats
  [ $# -eq 0 ] || stat -c '%a %s %u %g' -- "$@" >&3
  p_some=$p_kinds p_count=$#
  for p_path do
    if [ -L "$p_path" ]; then
      p_emit target "$(readlink -n -- "$p_path" | p_b64)"
    fi
  done
  while [ "$p_count" -gt 0 ]; do
    p_path=$1; shift; p_count=$((p_count - 1))
    if [ -f "$p_path" ] && [ -r "$p_path" ] && ! [ -L "$p_path" ]; then set -- "$@" "$p_path"; fi
  done
  p_emit hashes
  [ $# -eq 0 ] || sha256sum -b -- "$@" >&3
  p_emit entries-end "$#"
}

# p_contents PATH…: the bytes of these files one after another; the reader cuts them apart by size and checks hashes.
# Only regular files: a FIFO would block, and a link's entry is not that of the file behind it.
p_contents() {
  p_count=$#
  while [ "$p_count" -gt 0 ]; do
    p_path=$1; shift; p_count=$((p_count - 1))
    if [ -f "$p_path" ] && [ -r "$p_path" ] && ! [ -L "$p_path" ]; then set -- "$@" "$p_path"; fi
  done
  p_emit contents
  [ $# -eq 0 ] || cat -- "$@" | base64 >&3
  p_emit contents-end
}

# p_names PATH…: the result of a glob, without what does not exist (an unmatched pattern stays itself).
p_names() {
  p_count=$#
  while [ "$p_count" -gt 0 ]; do
    p_path=$1; shift; p_count=$((p_count - 1))
    if p_is_named "$p_path"; then set -- "$@" "$p_path"; fi
  done
  if [ $# -eq 0 ]; then p_emit names =; else p_emit names "$(printf '%s\0' "$@" | p_b64)"; fi
}
