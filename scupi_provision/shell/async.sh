# Jobs of `async`: ~/.provision/jobs/ID, ended when their time is over whoever still watches, asked for by async_status.
# Evaluated after jobs.sh.
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154  # P_… and p_… are used in, or set by, runtime.sh and jobs.sh
# Beside what every durable job has, such a directory holds `title` (for people), `limit`, and `told` once its result has
# been taken by whoever waited. What was told is not taken again: the next run starts the program anew.

P_JOBS_KEPT_DAYS=7

# p_async ID LIMIT TITLE SCRIPT: starts the job, or joins it when it runs (or has ended without anybody being told).
p_async() {
  p_job_limit=$2 p_title=$3
  p_jobs_prune
  if [ -e "$P_ROOT/jobs/$1/told" ] && ! p_alive "$P_ROOT/jobs/$1"; then rm -rf -- "$P_ROOT/jobs/$1"; fi
  p_launch "$1" "$4" || return 1
  [ -n "$p_started" ] || return 0
  ( umask 077; p_put "$p_title$P_NL" >"$p_dir/title"; echo "$p_job_limit" >"$p_dir/limit" ) 2>>"$P_RUN/err"
  # A watchdog of its own ends the job: this shell may be gone by then.
  # shellcheck disable=SC2016  # expanded by the watchdog, not here
  $P_SETSID /bin/sh -c '
    left=$2
    while [ "$left" -gt 0 ]; do
      sleep 1
      [ ! -e "$3/rc" ] && kill -0 "$1" 2>/dev/null || exit 0
      left=$((left - 1))
    done
    umask 077
    : >"$3/timeout"
    kill -TERM "$4$1"
    sleep 2
    kill -KILL "$4$1" 2>/dev/null
    echo 124 >"$3/rc.new" && mv -f "$3/rc.new" "$3/rc"
    rm -f "$3/script" "$3/in"
  ' provision-async "$p_pid" "$p_job_limit" "$p_dir" "${P_SETSID:+-}" </dev/null >/dev/null 2>&1 3>&- 4<&- &
}

# p_async_leave ID LIMIT TITLE SCRIPT: `poll: 0`. A job of this name that has ended is none of this run's.
p_async_leave() {
  if [ -e "$P_ROOT/jobs/$1/rc" ]; then rm -rf -- "$P_ROOT/jobs/$1"; fi
  p_async "$@"
}

# p_async_wait ID LIMIT TITLE SCRIPT CHECK KEEP: waits for the job and tells what it said.
p_async_wait() {
  p_check=$5 p_keep=$6 p_limit=$2
  p_async "$1" "$2" "$3" "$4" || return 1
  # Twice the time: its own watchdog ends it, this one only minds that the controller hears that it lives.
  [ -r "$p_dir/rc" ] || p_await "$p_pid" "$((p_limit * 2 + 60))" "$p_key" "$p_started" 0
  if [ -e "$p_dir/timeout" ]; then
    true >"$p_dir/told"
    P_WHY="async task did not complete within the requested time - ${p_limit}s"
    return 1
  fi
  p_finish "$p_limit" "$p_check" "$p_keep" 0
  p_ended=$?
  true >"$p_dir/told"
  return "$p_ended"
}

# Jobs that ended long ago, and were told or never asked for, make room.
p_jobs_prune() {
  for p_old in "$P_ROOT"/jobs/j[0-9a-f]*; do
    [ -e "$p_old/limit" ] && [ -e "$p_old/rc" ] || continue
    if [ -n "$(find "$p_old/rc" -mtime "+$P_JOBS_KEPT_DAYS" 2>/dev/null)" ]; then rm -rf -- "$p_old"; fi
  done
}
