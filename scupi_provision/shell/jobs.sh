# Running programs: each in a session of its own, its output in files, alive or dead as the plan says.
# Evaluated after runtime.sh.
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2153,SC2154  # P_… are set by the program and used in lock.sh; p_… by functions called before
# A short program dies with the connection. A durable one lives in ~/.provision/jobs/KEY and is joined by the next apply.

P_BOOT=$(cat /proc/sys/kernel/random/boot_id 2>/dev/null || uname -r)
P_NODE=$(uname -n)
# Hosts of one run may share a home: what a session writes there carries a name of its own.
P_RUN_OF=$P_RUNID P_RUNID=$P_RUNID-$P_NODE-$$
if command -v setsid >/dev/null 2>&1; then P_SETSID=setsid; else P_SETSID=; fi

# Sleeping that a signal can end: a shell attends to signals while it waits for a child, not while one runs in front.
# A nap may outlive its sleeper by its seconds, but it holds neither the line nor the output open.
p_doze() { sleep "$1" >/dev/null 2>&1 3>&- 4<&- & wait "$!"; }

# The controller is gone: let go of the lock and stop. Short programs were ended by the watchdog, durable ones go on.
p_gone() { p_unlock; exit 143; }
trap p_gone TERM HUP
# A handled signal is reset in children; an ignored one would be inherited and let them run on blindly.
trap : PIPE

p_end_tree() { kill "-$1" "${P_SETSID:+-}$2" 2>/dev/null; }

# A job is alive when its recorded process is, in this boot of this node.
p_alive() { # DIRECTORY
  [ -r "$1/pid" ] || return 1
  read -r p_pid p_boot p_node <"$1/pid" || return 1
  [ "$p_node" = "$P_NODE" ] && [ "$p_boot" = "$P_BOOT" ] && kill -0 "$p_pid" 2>/dev/null
}

# p_join DIRECTORY CREATES…: whether a job with the same inputs runs already or has left its result.
p_join() {
  p_dir=$1; shift
  if [ -r "$p_dir/rc" ]; then
    if [ "$(cat -- "$p_dir/rc")" = 0 ] && p_all_exist "$@"; then
      p_emit note "$(p_say 'an earlier run had finished this; its result is taken')"
      return 0
    fi
  elif p_alive "$p_dir"; then
    p_emit note "$(p_say 'an earlier run is still at work on this; joined it')"
    return 0
  fi
  rm -rf -- "$p_dir"
  return 1
}

p_all_exist() { for p_path do [ -e "$p_path" ] || [ -L "$p_path" ] || { P_MISSING=$p_path; return 1; }; done; }

p_private() { ( umask 077; mkdir -p -- "$1" ) 2>>"$P_RUN/err" || { P_WHY="cannot make $1"; return 1; }; }

p_start() { # SCRIPT: sets p_pid; the wrapper leaves its own pid and the program's exit status beside the output
  p_private "$p_dir" || return 1
  ( umask 077; p_put "$P_ENVIRONMENT PROVISION_JOB=$(p_quote "$p_dir")$P_NL$1" >"$p_dir/script" ) 2>>"$P_RUN/err" || { P_WHY="cannot write $p_dir/script"; return 1; }
  # shellcheck disable=SC2016  # expanded by the wrapper, not here
  $P_SETSID /bin/sh -c '
    cd -- "$1" || exit 125
    umask 077
    echo "$$ $2 $3" >pid
    [ -e in ] || : >in
    : >out
    : >err
    umask "$4"
    env -i /bin/sh script <in >out 2>err
    echo $? >rc.new && mv -f rc.new rc
    rm -f script in
  ' provision-job "$p_dir" "$P_BOOT" "$P_NODE" "$P_UMASK" </dev/null >/dev/null 2>&1 3>&- 4<&- &
  p_pid=$!
}

p_last_line() { # DIRECTORY
  p_file=$1/out
  [ -s "$1/err" ] && [ "$1/err" -nt "$1/out" ] && p_file=$1/err
  tail -n 1 -- "$p_file" 2>/dev/null | tail -c 300 | p_b64
}

# Tells the controller that a program is alive. One programme at a time writes to the line: while the shell waits for
# one that is this, also on behalf of those that run aside.
# A program may say what it is at in the file `phase` of $PROVISION_JOB.
p_tell() { # STEP ELAPSED DIRECTORY
  p_phase=
  [ -r "$3/phase" ] && read -r p_phase <"$3/phase"
  printf '%s - progress %s %s %s =%s\n' "$P_NONCE" "$1" "$2" "$(p_say "$p_phase")" "$(p_last_line "$3")" >&3
}

p_over() { # PID DIRECTORY: its time is over
  true >"$2/timeout"
  p_end_tree TERM "$1"
  p_doze 5
  p_end_tree KILL "$1"
}

# Follows a program while the shell waits for it.
p_tick() { # PID LIMIT ELAPSED
  p_elapsed=$3
  while kill -0 "$1" 2>/dev/null; do
    p_doze 1
    p_elapsed=$((p_elapsed + 1))
    p_tell "$P_STEP" "$p_elapsed" "$p_dir"
    p_tell_aside
    [ "$p_elapsed" -lt "$2" ] || p_over "$1" "$p_dir"
  done
}

# Nothing stops a program when its controller dies (there is no terminal); end of file on the line tells us.
p_watch() { # PID DURABLE
  while read -r _ <&4; do :; done
  [ -n "$2" ] || { p_end_tree TERM "$1"; p_doze 2; p_end_tree KILL "$1"; }
  kill -TERM $$
}

p_await() { # PID LIMIT DURABLE STARTED ELAPSED
  p_tick "$1" "$2" "$5" 2>/dev/null & p_ticker=$!
  p_watch "$1" "$3" 2>/dev/null & p_watcher=$!
  if [ -n "$4" ]; then
    wait "$1" 2>/dev/null
  else
    while ! [ -r "$p_dir/rc" ] && kill -0 "$1" 2>/dev/null; do p_doze 1; done
  fi
  # Not TERM: a subshell that has just been forked may lose it together with the trap that it inherited, and read on
  # from the line for ever.
  kill -KILL "$p_ticker" "$p_watcher" 2>/dev/null
  wait "$p_ticker" "$p_watcher" 2>/dev/null
}

# p_launch KEY SCRIPT CREATES…: starts the program, or joins the one with the same inputs; sets p_dir, p_pid, p_started.
p_launch() {
  p_key=$1 p_script=$2; shift 2
  p_started=
  if [ -n "$p_key" ]; then p_dir=$P_ROOT/jobs/$p_key; else p_dir=$P_RUN/job-$P_STEP-$P_SEQ; fi
  if [ -z "$p_key" ] || ! p_join "$p_dir" "$@"; then
    [ -z "${P_INPUT-}" ] || { p_private "$p_dir" && p_fill "$P_INPUT" "$P_INPUT_TEXT" "$p_dir/in"; } || return 1
    p_start "$p_script" || return 1
    p_started=yes
  fi
  P_INPUT=''
}

# p_run KEY LIMIT CHECK KEEP SCRIPT CREATES…: KEY '' = short; CHECK '' = any status is fine; KEEP bytes of output go back.
p_run() {
  p_limit=$2 p_check=$3 p_keep=$4
  p_wanted_key=$1 p_script=$5; shift 5
  p_launch "$p_wanted_key" "$p_script" "$@" || return 1
  p_finish "$p_limit" "$p_check" "$p_keep" 0 "$@"
}

# When the program began and ended, as the host's clock had it: its pid was the first to be written, its status the last.
p_when() { if p_times=$(stat -c %y -- "$p_dir/pid" "$p_dir/rc" 2>/dev/null); then p_say "$p_times"; else printf '='; fi; }

# p_finish LIMIT CHECK KEEP ELAPSED CREATES…: waits for what p_launch has set, and judges it.
p_finish() {
  p_limit=$1 p_check=$2 p_keep=$3 p_since=$4; shift 4
  [ -r "$p_dir/rc" ] || p_await "$p_pid" "$p_limit" "$p_key" "$p_started" "$p_since"
  if [ -r "$p_dir/rc" ]; then p_rc=$(cat -- "$p_dir/rc"); else p_rc=137; fi
  if [ -e "$p_dir/timeout" ]; then p_rc=124 P_WHY="it took longer than $p_limit s"; fi
  p_took='='
  # Of one that ran aside (aside.sh): its own time, not that until somebody looked.
  if [ -r "$p_dir/elapsed" ]; then read -r p_took <"$p_dir/elapsed"; rm -f -- "$p_dir/elapsed"; fi
  p_emit ran "$P_STEP" "$p_rc" "$(p_text "$p_dir/out" "$p_keep")" "$(p_text "$p_dir/err" "$p_keep")" "$(p_say "$p_dir")" "$p_took" "$(p_when)"
  if [ "$p_rc" -ne 0 ] && [ -n "$p_check" ]; then
    P_WHY=${P_WHY:-"it ended with status $p_rc"}
    return 1
  fi
  p_all_exist "$@" || { P_WHY="it ended well, but $P_MISSING is not there"; return 1; }
}
