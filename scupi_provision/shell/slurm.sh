# A job on the next host, asked for on this one: evaluated by the bootstrap of program.py on the host before it.
# The job is given back when the controller goes, however it goes; each shell is one step of it.
# shellcheck shell=sh
# shellcheck disable=SC2154  # MARK and what else a function names are set ahead of this text

p_say() { # WORD…: a line to the controller, told from what the login files print by its mark
  p_put "$MARK $*
" >&3
}

# Where a module system puts Slurm, this shell has not been.
PATH=$PATH:/opt/slurm/bin:/usr/local/slurm/bin:/opt/slurm/current/bin

p_give_back() { # whether it runs or waits; the name is this run's alone
  kill "$p_asking" "$p_watch" "$p_tell" 2>/dev/null
  scancel --quiet --user="$(id -un)" --name="$NAME" </dev/null >/dev/null 2>&1
}

# Either comes back with status 0 when the job runs.

p_ask_at_once() { salloc --no-shell --job-name="$NAME" "$@"; }

p_ask_in_batch() { # where only that is allowed: a job that does nothing, so that there is something to be a step of
  sbatch --job-name="$NAME" --output=/dev/null "$@" --wrap='exec sleep 2147483647' >/dev/null || return 1
  while :; do
    case $(squeue -h -n "$NAME" -o %T) in
      RUNNING) return 0 ;;
      '') echo "the job has left the queue before it ran" >&2; return 1 ;;
    esac
    sleep 1
  done
}

p_hold_job() { # NAME of the job, STARTER, OPTIONS of that
  eval "set -- $OPTIONS"
  case $STARTER in sbatch) p_ask_in_batch "$@" ;; *) p_ask_at_once "$@" ;; esac </dev/null 3>&- 4<&- &
  p_asking=$!
  # The controller says nothing more: the end of its input is its end, also while the job waits in the queue.
  (while read -r _; do :; done; kill "$p_asking") <&4 >/dev/null 2>&1 3>&- &
  p_watch=$!
  (while sleep 2; do p_say waits "$(squeue -h -n "$NAME" -o '%T %r' 2>/dev/null)"; done) </dev/null 4<&- &
  p_tell=$!
  trap p_give_back EXIT
  trap 'exit 143' HUP INT TERM
  trap : PIPE # when the controller is gone, there is still something to be given back
  wait "$p_asking"
  p_status=$?
  kill "$p_tell" 2>/dev/null
  if [ "$p_status" -eq 0 ]; then
    p_say up "$(squeue -h -n "$NAME" -o %i)"
    wait "$p_watch"
  fi
  p_say ended "$p_status"
  exit 0
}

p_in_job() { # JOB: its number; COMMAND: what a shell runs in it
  p_say begins
  # Since 20.11 steps keep to themselves what the job has, unless they say that they share it.
  if srun --help 2>/dev/null </dev/null | grep -q -e --overlap; then set -- --overlap; else set --; fi
  p_srun=$(command -v srun)
  # As a login has them: what the bootstrap has set is for programs on this host.
  PATH=$P_PATH LANG=$P_LANG
  unset LC_ALL
  exec "$p_srun" --jobid="$JOB" "$@" --nodes=1 --ntasks=1 --mpi=none --unbuffered /bin/sh -c "$COMMAND" \
    <&4 >&3 3>&- 4<&-
}
