# Long programs that run beside the steps that follow them: started here, waited for when a step needs their end.
# Evaluated after jobs.sh.
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2153,SC2154  # P_… and p_… are set by the program, by jobs.sh, and through eval
# Whether a step may go on without them is the plan's business (plan/overlap.py); here is only how.

P_ASIDE=''

# p_aside KEY LIMIT CHECK KEEP SCRIPT CREATES…: as p_run, but goes on at once; the step is closed by p_gather.
p_aside() {
  p_late="$2 $(p_quote "$3") $4" p_aside_key=$1 p_aside_limit=$2 p_script=$5; shift 5
  p_launch "$p_aside_key" "$p_script" "$@" || return 1
  p_creates=
  for p_path do p_creates="$p_creates $(p_quote "$p_path")"; done
  eval "P_DIR_$P_STEP=\$p_dir P_PID_$P_STEP=\$p_pid P_KEY_$P_STEP=\$p_key P_STARTED_$P_STEP=\$p_started"
  eval "P_BEGAN_$P_STEP=$(date +%s) P_CREATES_$P_STEP=\$p_creates P_LATE_$P_STEP=\$p_late"
  P_ASIDE="$P_ASIDE $P_STEP"
  [ -r "$p_dir/rc" ] || { p_attend "$p_pid" "$p_aside_limit" "$p_dir" </dev/null >/dev/null 2>&1 3>&- 4<&- & }
}

# Notes how long the program took, and ends it when its time is over, also when the controller is gone; ends with it.
p_attend() { # PID LIMIT DIRECTORY
  p_elapsed=0
  while kill -0 "$1" 2>/dev/null; do
    [ "$p_elapsed" -lt "$2" ] || { p_over "$1" "$3"; break; }
    p_doze 1
    p_elapsed=$((p_elapsed + 1))
  done
  echo "$p_elapsed" >"$3/elapsed"
}

p_since() { # STEP: seconds since it was set aside, for people
  eval "p_age=\$(( $(date +%s) - P_BEGAN_$1 ))"
  [ "$p_age" -ge 0 ] || p_age=0
}

p_tell_aside() {
  for p_beside in $P_ASIDE; do
    p_ended "$p_beside" || { p_since "$p_beside"; p_tell "$p_beside" "$p_age" "$p_where"; }
  done
}

p_ended() { # STEP: also sets p_where
  eval "p_where=\$P_DIR_$1 p_whose=\$P_PID_$1"
  [ -r "$p_where/rc" ] || ! kill -0 "$p_whose" 2>/dev/null
}

# p_gather STEP…: waits for these steps' programs and closes the steps, whether or not another one has failed meanwhile.
# Those of other steps that have ended are closed first, so that a failure is told, and ends the stream, early.
p_gather() {
  for p_wanted in $P_ASIDE; do if p_ended "$p_wanted"; then p_collect "$p_wanted"; fi; done
  for p_wanted do if p_is_aside "$p_wanted"; then p_collect "$p_wanted"; fi; done
}

p_is_aside() { case " $P_ASIDE " in *" $1 "*) ;; *) return 1 ;; esac; }

p_collect() { # STEP
  p_left=
  for p_beside in $P_ASIDE; do [ "$p_beside" = "$1" ] || p_left="$p_left $p_beside"; done
  P_ASIDE=$p_left
  p_since "$1"
  p_stopped=$P_STOP P_STOP='' P_WHY='' P_STEP=$1
  true >"$P_RUN/err"
  eval "p_dir=\$P_DIR_$1 p_pid=\$P_PID_$1 p_key=\$P_KEY_$1 p_started=\$P_STARTED_$1"
  eval "p_words=\"\$P_LATE_$1 $p_age \$P_CREATES_$1\""
  eval "p_finish $p_words"
  p_close $?
  [ -n "$P_STOP" ] || P_STOP=$p_stopped
}
