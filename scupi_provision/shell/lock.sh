# The lock: one writer per home, whichever node it is on; and what a writer finds that dead ones have left.
# Evaluated after jobs.sh.
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2153,SC2154  # P_… are set and used by runtime.sh, jobs.sh and by the program

# A hard link is the one primitive that stays exclusive on NFS, also when a reply is lost (open(2)): two links = ours. The
# file that is linked lies in the run's own folder, where nobody sweeps: the lock appears whole.
p_lock() { # OWNER, without newlines, ending with "run ID)"
  p_mine=$P_RUN/lock
  ( umask 077; printf '%s %s %s %s\n' "$P_NODE" "$P_BOOT" "$$" "$1" >"$p_mine" ) 2>>"$P_RUN/err" || { p_no_lock; return 1; }
  p_tries=0
  while :; do
    ln -- "$p_mine" "$P_ROOT/lock" 2>>"$P_RUN/err"
    if [ "$(stat -c %h -- "$p_mine")" = 2 ]; then P_LOCKED=yes; p_lease & P_LEASE=$!; p_sweep; return 0; fi
    p_tries=$((p_tries + 1))
    if p_owner_lives; then
      p_owner=$(cat -- "$P_ROOT/lock" 2>/dev/null)
      case $p_owner in
        # It let go while we looked at it.
        '') p_tries=0; continue ;;
        # Another host of this very run, with the same home: it is waited for.
        *" run $P_RUN_OF)"*) p_doze 1; p_tries=0; continue ;;
      esac
      p_emit locked "$(p_say "$p_owner")"
      rm -f -- "$p_mine"
      return 1
    fi
    [ "$p_tries" -le 5 ] || { p_no_lock; return 1; }
    p_break_lock
  done
}

p_no_lock() {
  p_emit denied "$(p_say "cannot write in $P_ROOT (disk full, over quota, or not writable?)")"
  rm -f -- "$p_mine"
}

# Somebody quicker may have broken the dead lock already, and hold a new one: then that is put back.
p_break_lock() {
  p_judged="$p_node $p_boot $p_pid" p_dead=$P_RUN/lock-dead
  mv -f -- "$P_ROOT/lock" "$p_dead" 2>/dev/null || return
  read -r p_node p_boot p_pid _ <"$p_dead"
  if [ "$p_node $p_boot $p_pid" = "$p_judged" ]; then
    p_emit note "$(p_say 'the lock of a run that is no more was taken over')"
  else
    ln -- "$p_dead" "$P_ROOT/lock" 2>/dev/null
  fi
  rm -f -- "$p_dead"
}

# The lease: the owner touches its file while it lives, so that another node can tell without comparing clocks; touching
# needs no space. In short naps, of which the last one outlives the run.
p_lease() {
  p_naps=0
  while p_doze 1 && kill -0 $$ 2>/dev/null; do
    p_naps=$((p_naps + 1))
    [ $((p_naps % 4)) -ne 0 ] || touch -c -- "$p_mine"
  done
} 3>&- 4<&-

# p_is_dead FILE: whether the owner whom FILE names (`node boot pid …`) is certainly no more; nodes know only their own.
p_is_dead() {
  read -r p_node p_boot p_pid _ <"$1" || return 0
  [ "$p_node" = "$P_NODE" ] || return 1
  if [ "$p_boot" = "$P_BOOT" ] && kill -0 "$p_pid" 2>/dev/null; then return 1; fi
}

# Opening the file makes NFS ask the server how it is now.
p_touched() { read -r _ <"$P_ROOT/lock" && stat -c %Y -- "$P_ROOT/lock"; }

p_owner_lives() {
  p_first=$(p_touched 2>/dev/null) || return 1
  read -r p_node p_boot p_pid _ <"$P_ROOT/lock" || return 1
  if [ "$p_node" = "$P_NODE" ]; then
    [ "$p_boot" = "$P_BOOT" ] && kill -0 "$p_pid" 2>/dev/null
    return
  fi
  p_wait=0
  while [ "$p_wait" -lt 20 ]; do
    p_doze 2
    p_wait=$((p_wait + 2))
    [ "$(p_touched 2>/dev/null)" = "$p_first" ] || return 0
  done
  return 1
}

# What dead runs left: names beside what they wrote (p_near), contents they had received. Only who holds the lock makes such
# names, so whoever made the others is not writing any more.
p_sweep() {
  for p_old in "$P_ROOT"/runs/*; do
    [ "$p_old" != "$P_RUN" ] || continue
    set -- "$p_old"/near-*
    if [ -L "$1" ]; then
      rm -rf -- "$p_old"/near-*/.provision-"${p_old##*/}"-*
      rm -f -- "$@"
    fi
    set -- "$p_old"/blob-*
    if [ -e "$1" ] && p_is_dead "$p_old/owner"; then rm -f -- "$@"; fi
  done
} 2>/dev/null

# Earlier proofs fall before the first change. Where they cannot be taken away, nothing is changed.
p_unprove() {
  rm -rf -- "$P_ROOT/verified" 2>>"$P_RUN/err" && return
  P_STOP=failed
  p_emit denied "$(p_say "cannot remove $P_ROOT/verified")"
}

p_unlock() {
  [ -n "$P_LOCKED" ] || return 0
  kill -KILL "$P_LEASE" 2>/dev/null
  rm -f -- "$P_ROOT/lock" "$p_mine"
  P_LOCKED=
}
