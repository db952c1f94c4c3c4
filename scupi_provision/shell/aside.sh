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
  [ -r "$p_dir/rc" ] || { p_limit_aside "$p_pid" "$p_aside_limit" "$p_dir" </dev/null >/dev/null 2>&1 3>&- 4<&- & }
}

# Ends the program when its time is over, also when the controller is gone; ends with it.
p_limit_aside() { # PID LIMIT DIRECTORY
  p_elapsed=0
  while [ "$p_elapsed" -lt "$2" ]; do
    kill -0 "$1" 2>/dev/null || return
    p_doze 1
    p_elapsed=$((p_elapsed + 1))
  done
  p_over "$1" "$3"
}

p_since() { # STEP: seconds since it was set aside, for people
  eval "p_age=\$(( $(date +%s) - P_BEGAN_$1 ))"
  [ "$p_age" -ge 0 ] || p_age=0
}

p_tell_aside() {
  for p_beside in $P_ASIDE; do
    p_since "$p_beside"
    eval "p_where=\$P_DIR_$p_beside"
    [ -r "$p_where/rc" ] || p_tell "$p_beside" "$p_age" "$p_where"
  done
}

# p_gather STEP…: waits for these steps' programs and closes the steps, whether or not another one has failed meanwhile.
p_gather() {
  for p_gathered do
    case " $P_ASIDE " in *" $p_gathered "*) ;; *) continue ;; esac
    p_left=
    for p_beside in $P_ASIDE; do [ "$p_beside" = "$p_gathered" ] || p_left="$p_left $p_beside"; done
    P_ASIDE=$p_left
    p_since "$p_gathered"
    p_stopped=$P_STOP P_STOP='' P_WHY='' P_STEP=$p_gathered
    true >"$P_RUN/err"
    eval "p_dir=\$P_DIR_$p_gathered p_pid=\$P_PID_$p_gathered p_key=\$P_KEY_$p_gathered p_started=\$P_STARTED_$p_gathered"
    eval "p_words=\"\$P_LATE_$p_gathered $p_age \$P_CREATES_$p_gathered\""
    eval "p_finish $p_words"
    p_close $?
    [ -n "$P_STOP" ] || P_STOP=$p_stopped
  done
}
