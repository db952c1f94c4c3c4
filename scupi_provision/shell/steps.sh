# The actions of a plan: each leaves the old state or the new one, wherever it is stopped.
# Evaluated after runtime.sh. A function fails with its reason in P_WHY; what tools said is in $P_RUN/err.
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2153,SC2154  # P_… are set by runtime.sh and by the program
# `:` is a special builtin: where its redirection fails (disk full), dash and busybox would exit. `true` is none.

p_step() { P_STEP=$1 P_WHY=''; p_emit begin "$1"; true >"$P_RUN/err" || { P_WHY="cannot write in $P_RUN"; return 1; }; }

# p_close STATUS: how the step ended; anything but 0 stops the stream.
p_close() {
  if [ "$1" -eq 0 ]; then p_emit "done" "$P_STEP"; return; fi
  [ -n "$P_STOP" ] || P_STOP=failed
  p_emit "$P_STOP" "$P_STEP" "$(p_say "$P_WHY")" "$(p_text "$P_RUN/err" 4096)"
}

# p_near PATH: sets P_TEMP to a name beside PATH. That such names may be there is noted first, as a link to the folder,
# so that a later run can remove what a dead one has left (p_sweep).
p_near() {
  P_TEMP=${1%/*}/.provision-$P_RUNID-$P_SEQ
  [ "$P_NEAR" = "${1%/*}/" ] && return
  P_NEARS=$((P_NEARS + 1))
  ln -s -- "${1%/*}/" "$P_RUN/near-$P_NEARS" 2>>"$P_RUN/err" || { P_WHY="cannot write in $P_RUN"; return 1; }
  P_NEAR=${1%/*}/
}

p_temp() {
  p_near "$1" || return 1
  ( umask 077; set -C; : >"$P_TEMP" ) 2>>"$P_RUN/err" || { P_WHY="cannot create a file in ${1%/*}"; return 1; }
}

# Old coreutils (< 8.24) sync everything when given a file, which can stall a login node for minutes.
p_can_sync() {
  if [ -z "${P_SYNC-}" ]; then
    case $(sync --help 2>&1) in *FILE*) P_SYNC=yes ;; *) P_SYNC=no ;; esac
  fi
  [ "$P_SYNC" = yes ]
}

p_drop() { rm -f -- "$P_TEMP"; return 1; }

p_place() { # TEMP PATH MODE: the last steps of every replacement
  P_TEMP=$1
  chmod "$3" "$1" 2>>"$P_RUN/err" || { P_WHY="cannot set mode $3 on $2"; p_drop; return; }
  if p_can_sync; then sync "$1" 2>>"$P_RUN/err" || { P_WHY="cannot write $2 to disk"; p_drop; return; }; fi
  mv -T -f -- "$1" "$2" 2>>"$P_RUN/err" || { P_WHY="cannot replace $2"; p_drop; return; }
}

# By the umask, because `mkdir -m` is two steps in busybox; only the special bits take a second one.
p_mkdir() { # PATH UMASK MODE, which is only given when it has special bits
  ( umask "$2"; mkdir -- "$1" ) 2>>"$P_RUN/err" || { P_WHY="cannot make directory $1"; return 1; }
  [ -z "$3" ] || p_chmod "$1" "$3"
}

p_fill() { # FORM CONTENT FILE
  case $1 in
    t) p_put "$2" ;;
    b) p_put "$2" | base64 -d ;;
    f) cat -- "$P_RUN/blob-$2" ;;
  esac >"$3" 2>>"$P_RUN/err"
}

p_valid() { # COMMAND TEMP PATH
  [ -n "$1" ] || return 0
  PATH=$P_PATH:$PATH /bin/sh -c "$1" provision "$2" </dev/null >>"$P_RUN/err" 2>&1 3>&- 4<&- && return 0
  P_WHY="the new content of $3 was refused by: $1"
  p_drop
}

p_keep() { # PATH COPY: the old file under another name, with its mode and times
  p_temp "$2" || return 1
  { cp -p -- "$1" "$P_TEMP" && mv -T -f -- "$P_TEMP" "$2"; } 2>>"$P_RUN/err" || { P_WHY="cannot keep a copy of $1"; p_drop; }
}

p_write() { # PATH MODE DIGEST FORM CONTENT BACKUP VALIDATE
  [ -z "$6" ] || p_keep "$1" "$6" || return 1
  p_temp "$1" || return 1
  p_fill "$4" "$5" "$P_TEMP" || { P_WHY="cannot write $1"; p_drop; return; }
  p_digest "$P_TEMP" || { P_WHY="cannot read what was written for $1"; p_drop; return; }
  [ "$P_DIGEST" = "$3" ] || { P_WHY="$1 was not written whole"; p_drop; return; }
  p_valid "$7" "$P_TEMP" "$1" || return 1
  p_place "$P_TEMP" "$1" "$2"
}

p_copy() { # SOURCE PATH MODE
  p_temp "$2" || return 1
  cat -- "$1" >"$P_TEMP" 2>>"$P_RUN/err" || { P_WHY="cannot copy $1 to $2"; p_drop; return; }
  p_place "$P_TEMP" "$2" "$3"
}

p_chmod() { chmod "$2" -- "$1" 2>>"$P_RUN/err" || { P_WHY="cannot set mode $2 on $1"; return 1; }; }

# A link is switched by one rename: `ln -sfn` is two steps in busybox, and `mv` without -T would move into a directory.
p_link() { # PATH TARGET
  p_near "$1" || return 1
  ln -s -- "$2" "$P_TEMP" 2>>"$P_RUN/err" || { P_WHY="cannot make a link in ${1%/*}"; return 1; }
  mv -T -f -- "$P_TEMP" "$1" 2>>"$P_RUN/err" || { P_WHY="cannot switch $1"; p_drop; return; }
}

p_hard_link() { # PATH SOURCE
  p_near "$1" || return 1
  ln -- "$2" "$P_TEMP" 2>>"$P_RUN/err" || { P_WHY="cannot make a hard link to $2 in ${1%/*}"; return 1; }
  mv -T -f -- "$P_TEMP" "$1" 2>>"$P_RUN/err" || { P_WHY="cannot switch $1"; p_drop; return; }
}

p_remove() { # PATH RECURSIVE
  if [ -z "$2" ]; then
    rm -f -- "$1" 2>>"$P_RUN/err" || { P_WHY="cannot remove $1"; return 1; }
    return
  fi
  p_near "$1" || return 1
  # Renamed first: the name is free at once, also when NFS keeps files that are still open.
  mv -T -f -- "$1" "$P_TEMP" 2>>"$P_RUN/err" || { P_WHY="cannot remove $1"; return 1; }
  rm -rf -- "$P_TEMP" 2>>"$P_RUN/err" && return
  P_LEFT=yes # for the next run to remove
  p_emit note "$(p_say "left over: $P_TEMP could not be removed whole")"
}

p_touch() { # PATH MODE ACCESSED MODIFIED: `now`, a time for `touch -t`, or nothing to leave it
  if [ -e "$1" ] || [ -L "$1" ]; then
    # what a link names, and is not there, is made behind it
    { { [ -e "$1" ] || touch -- "$1"; } && chmod "$2" -- "$1"; } 2>>"$P_RUN/err" || { P_WHY="cannot touch $1"; return 1; }
  else
    p_temp "$1" && p_place "$P_TEMP" "$1" "$2" || return 1
  fi
  p_time a "$3" "$1" && p_time m "$4" "$1"
}

p_time() { # WHICH WHEN PATH
  case $2 in
    '') return 0 ;;
    now) touch -c "-$1" -- "$3" ;;
    *) touch -c "-$1" -t "$2" -- "$3" ;;
  esac 2>>"$P_RUN/err" || { P_WHY="cannot set the times of $3"; return 1; }
}
