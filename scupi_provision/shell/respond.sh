# Runs a program that asks, and answers. Run as a program: sh, coreutils and grep; `script` or a python gives it a
# terminal where there is one, else its questions must not need one.
# shellcheck shell=sh
# shellcheck disable=SC2154  # the variables are set ahead of this text
#   command   shell words
#   where     the folder in which it runs, or nothing
#   limit     seconds of silence after which it is given up, or nothing
#   echo      "yes" when what is typed is shown
# On standard input, one line a question: `*` (one answer for ever) or `-`, with an `i` where the case of letters does not
# matter; the pattern (grep -E) and its answers, each in base64, `.` for an empty one.
work=$(mktemp -d "${TMPDIR:-/tmp}/provision-respond.XXXXXX") || exit 125
trap 'rm -rf -- "$work"' EXIT
chmod 700 "$work"
count=0
while read -r often pattern answers; do
  count=$((count + 1))
  printf '%s' "$pattern" | base64 -d >"$work/pattern-$count"
  echo "$often" >"$work/often-$count"
  printf '%s\n' "$answers" >"$work/answers-$count"
done
mkfifo "$work/keys" || exit 125
: >"$work/out"
[ -z "$where" ] || cd -- "$where" || exit 125

# A terminal of its own. Without echo it is told so before the program begins, else passwords would be shown.
quiet='stty -echo; '
[ -z "$echo" ] || quiet=''
if script --version 2>/dev/null | grep -q util-linux; then
  script -qefc "$quiet$command" /dev/null <"$work/keys" >"$work/out" 2>&1 &
elif python=$(command -v python3 || command -v python2 || command -v python); then
  "$python" -c 'import os, pty, sys
status = pty.spawn(["/bin/sh", "-c", sys.argv[1]])
status = os.WEXITSTATUS(status) if status is not None and os.WIFEXITED(status) else 1
sys.exit(status)' "$quiet$command" <"$work/keys" >"$work/out" 2>&1 &
else
  /bin/sh -c "$command" <"$work/keys" >"$work/out" 2>&1 &
fi
program=$!
exec 5>"$work/keys"
end() { kill -TERM "$program" 2>/dev/null; exec 5>&-; }
trap 'end; exit 143' HUP INT TERM

size() { stat -c %s -- "$work/out"; }
nap() { sleep 0.1 2>/dev/null || sleep 1; }

# The answer to the first question that is found in what was said since the last answer.
answer() { # FROM TO
  head -c "$2" -- "$work/out" | tail -c "+$(($1 + 1))" | tr -d '\r' >"$work/new"
  number=0
  while [ "$number" -lt "$count" ]; do
    number=$((number + 1))
    flags=''
    case $(cat "$work/often-$number") in ?i) flags=-i ;; esac
    # shellcheck disable=SC2086  # one flag, or none
    grep -E -q $flags -f "$work/pattern-$number" -- "$work/new" 2>/dev/null || continue
    read -r first rest <"$work/answers-$number"
    if [ -z "$first" ]; then
      echo "No remaining responses for a question" >"$work/why"
      return 2
    fi
    { [ "$first" = . ] || printf '%s' "$first" | base64 -d; echo; } >&5
    case $(cat "$work/often-$number") in -*) printf '%s\n' "$rest" >"$work/answers-$number" ;; esac
    return 0
  done
  return 1
}

seen=0 silent=$(date +%s) before=0
while kill -0 "$program" 2>/dev/null; do
  now=$(size)
  if [ "$now" -ne "$before" ]; then silent=$(date +%s) before=$now; fi
  answer "$seen" "$now"
  case $? in
    0) seen=$now silent=$(date +%s); nap; continue ;;
    2) end; cat "$work/out"; cat "$work/why" >&2; exit 123 ;;
  esac
  if [ -n "$limit" ] && [ $(($(date +%s) - silent)) -ge "$limit" ]; then
    end
    cat "$work/out"
    echo "command exceeded timeout" >&2
    exit 124
  fi
  nap
done
wait "$program"
status=$?
exec 5>&-
cat "$work/out"
exit "$status"
