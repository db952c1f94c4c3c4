# What is known of the durable jobs of an account: lines of `name value`. Needs nothing of the runtime.
# shellcheck shell=sh
# A value that may hold anything comes in base64; host/jobs.py understands the lines.

j_encoded() { base64 | tr -d '\n'; }

# j_state DIRECTORY: done (its status is there), running, elsewhere (it was begun on another node), or gone.
j_state() {
  if [ -r "$1/rc" ]; then echo 'done'; return; fi
  [ -r "$1/pid" ] || { echo gone; return; }
  # Its watchdog is ending it, and writes its status at last (async.sh).
  if [ -n "$(find "$1/timeout" -mmin -1 2>/dev/null)" ]; then echo running; return; fi
  read -r j_pid j_boot j_node <"$1/pid"
  if [ "$j_node" != "$(uname -n)" ]; then echo elsewhere
  elif [ "$j_boot" = "$(cat /proc/sys/kernel/random/boot_id 2>/dev/null || uname -r)" ] && kill -0 "$j_pid" 2>/dev/null; then echo running
  else echo gone
  fi
}

# j_look DIRECTORY: what is known of one job, without its output.
j_look() {
  echo "job ${1##*/}"
  echo "state $(j_state "$1")"
  [ ! -r "$1/pid" ] || { read -r j_pid j_boot j_node <"$1/pid"; echo "node $j_node"; echo "began $(stat -c %y -- "$1/pid")"; }
  [ ! -r "$1/rc" ] || { echo "rc $(cat -- "$1/rc")"; echo "ended $(stat -c %y -- "$1/rc")"; }
  [ ! -r "$1/limit" ] || echo "limit $(cat -- "$1/limit")"
  [ ! -e "$1/timeout" ] || echo "timeout yes"
  [ ! -r "$1/title" ] || echo "title $(head -c 300 -- "$1/title" | j_encoded)"
}

# j_said DIRECTORY KEEP: the last bytes of its output.
j_said() {
  echo "out $(tail -c "$2" -- "$1/out" 2>/dev/null | j_encoded)"
  echo "err $(tail -c "$2" -- "$1/err" 2>/dev/null | j_encoded)"
}

# j_more DIRECTORY OUT ERR MOST: what was said behind these many bytes, at most so many of each.
j_more() {
  echo "out $(tail -c "+$(($2 + 1))" -- "$1/out" 2>/dev/null | head -c "$4" | j_encoded)"
  echo "err $(tail -c "+$(($3 + 1))" -- "$1/err" 2>/dev/null | head -c "$4" | j_encoded)"
}
