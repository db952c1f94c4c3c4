# Waits for a port, a file, or a text in either. Run as a program: sh and coreutils; a text needs grep, a connection bash
# or nc (without both, only ports of this host can be seen).
# shellcheck shell=sh
# shellcheck disable=SC2154  # the variables are set ahead of this text
#   goal      port, path or time
#   state     started, stopped or drained
#   host port path pattern    pattern: extended, as grep -E has it, or nothing
#   flags     more options of grep
#   delay rest limit connect  seconds: before the first look, between looks, altogether, for one connection
#   hex_port  the port as /proc/net/tcp writes it
#   states    states that count as connections, as there; excluded, addresses that do not, and local ones that do
# Says `elapsed SECONDS`, and after it the text in which the pattern was found.
began=$(date +%s)
elapsed() { echo $(($(date +%s) - began)); }

work=$(mktemp -d "${TMPDIR:-/tmp}/provision-wait.XXXXXX") || exit 125
trap 'rm -rf -- "$work"' EXIT
trap 'exit 143' HUP INT TERM
seen=$work/seen
: >"$seen"

within() { if command -v timeout >/dev/null 2>&1; then timeout "$connect" "$@"; else "$@"; fi; }

# Whether /proc lists a socket: LOCAL PORT in a STATE, its peer not among those excluded.
listed() { # STATES
  for table in /proc/net/tcp /proc/net/tcp6; do
    [ -r "$table" ] || continue
    while read -r _ ours theirs status _; do
      case " $1 " in *" $status "*) ;; *) continue ;; esac
      [ "${ours##*:}" = "$hex_port" ] || continue
      case " $local_addresses " in '  ' | *" ${ours%:*} "*) ;; *) continue ;; esac
      case " $excluded " in *" ${theirs%:*} "*) continue ;; esac
      return 0
    done <"$table"
  done
  return 1
}

is_open() {
  if command -v bash >/dev/null 2>&1; then
    # shellcheck disable=SC2016  # expanded by bash
    within bash -c 'exec 3<>"/dev/tcp/$1/$2"' bash "$host" "$port" 2>/dev/null
  elif command -v nc >/dev/null 2>&1; then
    within nc -z "$host" "$port" >/dev/null 2>&1 </dev/null
  else
    local_addresses='' listed 0A
  fi
}

# What the port says unasked, as long as a connection may last.
hear() {
  if command -v bash >/dev/null 2>&1; then
    # shellcheck disable=SC2016  # expanded by bash
    within bash -c 'exec 3<>"/dev/tcp/$1/$2" && cat <&3' bash "$host" "$port" >"$seen" 2>/dev/null
  else
    within nc "$host" "$port" >"$seen" 2>/dev/null </dev/null
  fi
}

# shellcheck disable=SC2086  # flags: none or one
found() { grep -E -q $flags -e "$pattern" -- "$1" 2>/dev/null; }

there() {
  case $goal in
    path)
      if [ -z "$pattern" ]; then [ -e "$path" ]; return; fi
      found "$path" && tail -c 524288 -- "$path" >"$seen"
      ;;
    port)
      if [ -z "$pattern" ]; then is_open; return; fi
      hear
      found "$seen"
      ;;
    time) return 1 ;;
  esac
}

met() {
  case $state in
    started) there ;;
    stopped) ! there ;;
    drained) ! listed "$states" ;;
  esac
}

[ "$delay" -eq 0 ] || sleep "$delay"
if [ "$goal" = time ]; then
  rest=$((limit - $(elapsed)))
  [ "$rest" -le 0 ] || sleep "$rest"
  echo "elapsed $(elapsed)"
  exit 0
fi
status=1
while [ "$(elapsed)" -lt "$limit" ]; do
  if met; then status=0; break; fi
  sleep "$rest"
done
echo "elapsed $(elapsed)"
[ "$state" != started ] || cat "$seen"
exit "$status"
