# The lockout guard: keeps what a stream is about to change of the files that decide about logins, and puts it back
# unless somebody who has logged in anew says that all is well. Sent with such streams only, after runtime.sh and
# guard_files.sh, which says what lies where.
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2153,SC2154  # P_… are set by runtime.sh, jobs.sh and by the program
# Who renames RUN first decides. Everything after that may be done again, by anybody, from any point.

# --- what the stream does --------------------------------------------------------------------------------------------

# p_guard FORM PATH …: keeps what is at each path, once for each guard; FORM `tree` takes all that is below along.
p_guard() {
  { p_guard_open && p_guard_keep "$@"; } 2>>"$P_RUN/err" || { P_WHY="cannot keep a copy for the lockout guard in $P_ROOT/guard"; return 1; }
}

# The folder gets its name when it says whose it is: until then no other run can take it for one that was left.
p_guard_open() {
  [ -z "${P_GUARD-}" ] || return 0
  G_DIR=$P_ROOT/guard/$P_RUNID-$P_SEQ P_KEPT=0
  rm -rf -- "$P_RUN/guard"
  ( umask 077
    mkdir -p -- "$P_ROOT/guard" && mkdir -- "$P_RUN/guard" && : >"$P_RUN/guard/busy" &&
      g_note "$P_NODE $P_BOOT $$$P_NL" "$P_RUN/guard/owner" && mv -T -- "$P_RUN/guard" "$G_DIR" ) || return 1
  # Its text comes on standard input: it would fill every listing of processes.
  p_put "$P_GUARD_TEXT$P_NL g_watch \"\$@\"$P_NL" 3>&- 4<&- |
    $P_SETSID /bin/sh -s -- "$G_DIR" "$$" "$P_GUARD_S" >/dev/null 2>&1 3>&- 4<&- &
  P_GUARD=$!
  ( umask 077; g_note "$P_GUARD$P_NL" "$G_DIR/dog" )
}

p_guard_keep() {
  while [ $# -gt 1 ]; do
    if ! p_guard_has "$2"; then
      p_folder=$G_DIR/$((P_KEPT + 1))
      ( umask 077; mkdir -- "$p_folder" && g_note "$2" "$p_folder/path" && p_guard_first "$@" ) || return 1
      P_KEPT=$((P_KEPT + 1))
    fi
    shift 2
  done
}

# What an unfinished guard of this very run, on another host with this home, has kept of the path is what it was.
p_guard_first() { # FORM PATH …
  for p_other in "$P_ROOT/guard/$P_RUN_OF"-*/[0-9]*; do
    [ "${p_other%/*}" != "$G_DIR" ] && [ -e "$p_other/new" ] && g_path "$p_other" && [ "$G_PATH" = "$2" ] || continue
    g_sig "$2" && [ "$G_SIG" = "$(cat -- "$p_other/new")" ] || continue
    [ ! -e "$p_other/was" ] || cp -pPR -- "$p_other/was" "$p_folder/was" || return 1
    g_note "$(cat -- "$p_other/was.sig")" "$p_folder/was.sig"
    return
  done
  g_save "$2" "$p_folder/was" "$1"
}

p_guard_has() { # PATH: sets p_folder to where it is kept
  p_number=0
  while [ "$p_number" -lt "$P_KEPT" ]; do
    p_number=$((p_number + 1))
    p_folder=$G_DIR/$p_number
    g_path "$p_folder" && [ "$G_PATH" != "$1" ] || return 0
  done
  return 1
}

# p_guard_saw FORM PATH …: what the step has left there. A hand that changes it later is not ours.
p_guard_saw() {
  [ -n "${P_GUARD-}" ] || return 0
  while [ $# -gt 1 ]; do
    if p_guard_has "$2" && g_sig "$2"; then g_note "$G_SIG" "$p_folder/new"; fi
    shift 2
  done
} 2>/dev/null

p_guard_rest() { [ -z "${P_GUARD-}" ] || rm -f -- "$G_DIR/busy"; }

# --- the verdict -----------------------------------------------------------------------------------------------------

p_guard_close() { # FOLDER, and what a rename that never came has left beside the paths
  for p_folder in "$1"/[0-9]*; do
    if g_path "$p_folder"; then rm -rf -- "${G_PATH%/*}/.provision-guard-${1##*/}"; fi
  done
  rm -rf -- "$1"
  rmdir -- "$P_ROOT/guard"
} 2>/dev/null

p_guard_tell() { # the lines `back PATH`, `left PATH`, `lost PATH` of a note
  while read -r p_what p_path; do [ -z "$p_path" ] || p_emit guard "$p_what" "$(p_say "$p_path")"; done <<END
$1
END
}

# Ends what a fresh login has left running: sshd does so only from OpenSSH 7.9 on, and never for root.
p_guard_end() { # WORD
  for p_file in /proc/[0-9]*; do
    p_pid=${p_file#/proc/}
    kill -0 "$p_pid" || continue # another's
    case $(tr '\0' ' ' <"$p_file/cmdline") in *"$1"*) kill -KILL "$p_pid" ;; esac
  done
} 2>/dev/null

# keep: all is well. back: put it back. forth: put it in again, since it was not to blame. drop: it is of no more use.
p_guard_judge() {
  [ -n "${P_GUARD-}" ] || return 0
  case $1 in
    keep) p_guard_accept || p_guard_judge back ;; # its time was over before
    back)
      p_end_tree KILL "$P_GUARD"
      g_take_back
      true >"$G_DIR/busy" # the session is still at it
      p_guard_tell "$g_text"
      ;;
    forth)
      for p_folder in "$G_DIR"/[0-9]*; do p_guard_forth; done
      p_guard_judge drop
      ;;
    drop) p_guard_close "$G_DIR"; P_GUARD='' ;;
  esac
} 2>/dev/null

p_guard_accept() {
  mv -T -- "$G_DIR" "$G_DIR.kept" || return 1
  p_end_tree KILL "$P_GUARD"
  p_guard_close "$G_DIR.kept"
  P_GUARD=''
  p_emit guard kept =
}

p_guard_forth() { # what lies in p_folder, unless there is something else by now
  if [ -e "$p_folder/mine.sig" ] && g_path "$p_folder" && g_sig "$G_PATH" && [ "$G_SIG" = "$(cat -- "$p_folder/was.sig")" ]; then
    p_what=lost
    if g_place "$p_folder/mine" "$G_PATH"; then p_what=forth; fi
    p_emit guard "$p_what" "$(p_say "$G_PATH")"
  fi
}

# What runs that are no more have left here, told; with `finish` also brought to an end: what they changed without a
# verdict is taken back now, not when its watchdog would do so, in the middle of our run. Nodes know only their own.
p_guard_left() { # look|finish
  P_GUARD=''
  for G_DIR in "$P_ROOT"/guard/*; do
    [ -d "$G_DIR" ] || continue
    p_guard_whose
    case $1$p_whose in finish-nobody | look-nobody) ;; finish-other) p_emit guard busy =; continue ;; *) continue ;; esac
    p_folder=$G_DIR G_DIR=${G_DIR%.back}
    if [ "$1" = finish ] && [ "${G_DIR%.kept}" = "$G_DIR" ]; then
      p_guard_end "$G_DIR" # its watchdog
      g_take_back
      p_folder=$G_DIR
    fi
    if [ -e "$p_folder/note" ]; then p_guard_tell "$(cat -- "$p_folder/note")"; fi
    if [ "$1" = finish ]; then p_guard_close "$p_folder"; fi
  done
  rmdir -- "$P_ROOT/guard" # an empty one: killed before it was used
} 2>/dev/null

# Sets p_whose: -nobody, when the session that would have to judge is no more; -us, another host of this run; -other;
# -away, when only another node can tell.
p_guard_whose() {
  p_whose=-nobody
  read -r p_node p_boot p_session <"$G_DIR/owner" || return
  if [ "$p_node" != "$P_NODE" ]; then p_whose=-away; return; fi
  case ${G_DIR##*/} in "$P_RUN_OF-"*) p_whose=-us; return ;; esac
  [ "$p_boot" = "$P_BOOT" ] || return
  case $G_DIR in *.back) [ -e "$G_DIR/busy" ] || return ;; esac
  if g_lives "$p_session"; then p_whose=-other; fi
}
