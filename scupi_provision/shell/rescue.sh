# Looking at start-up files without being harmed by them: each trial runs in an environment, a session and a time of its
# own. Sent after runtime.sh and jobs.sh. Nothing is written but below a folder of /tmp that is removed at the end.
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2153,SC2154  # P_… are set by runtime.sh and jobs.sh

p_scratch() { # sets P_SCRATCH
  [ -z "${P_SCRATCH-}" ] || return 0
  p_mask=$(umask)
  umask 077
  P_SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/provision-rescue.XXXXXX") || { P_SCRATCH=; return 1; }
  mkfifo "$P_SCRATCH/in" "$P_SCRATCH/out" "$P_SCRATCH/word"
  # What a shell that has come through its files can still do. Run by its path: aliases and functions do not matter.
  cat >"$P_SCRATCH/probe" <<'END'
exec 9>"$1"
echo alive >&9
if command -v ls >/dev/null 2>&1; then echo path >&9; fi
if read -r line; then echo "read $line" >&9; else echo closed >&9; fi
if echo provision-says >&1; then echo says >&9; fi 2>/dev/null
END
}

p_scratch_end() { [ -z "${P_SCRATCH-}" ] || rm -rf -- "$P_SCRATCH"; P_SCRATCH=; umask "$p_mask"; }

# p_text BASE64: the file that is looked at
p_rescue_text() { printf %s "$1" | base64 -d >"$P_SCRATCH/text"; }

# p_parses LINES: whether the shell's own parser takes so many lines of the text as a whole. A here-document without its
# end is only warned of.
p_parses() { # DIALECT SHELL LINES
  head -n "$3" "$P_SCRATCH/text" >"$P_SCRATCH/begin"
  case $1 in
    zsh) LC_ALL=C "$2" -f -n "$P_SCRATCH/begin" >"$P_SCRATCH/said" 2>&1 </dev/null ;;
    *) LC_ALL=C "$2" -n "$P_SCRATCH/begin" >"$P_SCRATCH/said" 2>&1 </dev/null ;;
  esac && ! [ -s "$P_SCRATCH/said" ]
}

# p_cuts DIALECT SHELL COUNT: after which lines the text may be cut, as fact `cuts`: one digit for each line. Then what
# the parser says to the whole, as fact `syntax`.
p_cuts() {
  p_number=0 p_cuts=
  while [ "$p_number" -lt "$3" ]; do
    p_number=$((p_number + 1))
    if p_parses "$1" "$2" "$p_number"; then p_cuts=${p_cuts}1; else p_cuts=${p_cuts}0; fi
  done
  p_fact cuts "$p_cuts-"
  p_parses "$1" "$2" "$3"
  p_fact syntax "$(p_text "$P_SCRATCH/said" 1000)"
}

# p_trial OCCASION DIALECT SHELL SECONDS: what becomes of a shell that has read the text, as fact `trial`:
# STATUS LATE WORDS PRINTED SAID, the last three in base64.
p_trial() {
  rm -f -- "$P_SCRATCH/late"
  cat <"$P_SCRATCH/word" >"$P_SCRATCH/words" 3>&- 4<&- & p_words=$!
  head -c 4096 <"$P_SCRATCH/out" >"$P_SCRATCH/printed" 3>&- 4<&- & p_printed=$!
  exec 8>"$P_SCRATCH/word" # so that it has a writer until the end; what runs below has no part in it
  # What reads to the end comes to the end a second before its time is over; what hangs does not.
  { printf 'provision-1\nprovision-2\n'; sleep "$(($4 - 1))"; } 3>&- 4<&- 8>&- >"$P_SCRATCH/in" & p_feeder=$!
  p_start_trial "$@" <"$P_SCRATCH/in" >"$P_SCRATCH/out" 2>"$P_SCRATCH/said" 3>&- 4<&- 8>&- &
  p_pid=$!
  ( p_doze "$4"; : >"$P_SCRATCH/late"; kill -KILL "$p_feeder"; p_end_tree KILL "$p_pid" ) 8>&- 2>/dev/null & p_dog=$!
  wait "$p_pid" 2>/dev/null
  p_status=$?
  # What it has left running holds its streams open.
  p_end_tree KILL "$p_pid"
  kill -KILL "$p_dog" "$p_feeder" 2>/dev/null
  exec 8>&-
  wait "$p_words" "$p_printed" "$p_dog" "$p_feeder" 2>/dev/null
  if [ -e "$P_SCRATCH/late" ]; then p_late=late; else p_late=in-time; fi
  p_fact trial "$p_status $p_late $(p_text "$P_SCRATCH/words" 400) $(p_text "$P_SCRATCH/printed" 4096) $(p_text "$P_SCRATCH/said" 600)"
}

p_start_trial() { # OCCASION DIALECT SHELL SECONDS: becomes the shell, as sshd would start it
  p_of=$1 p_dialect=$2 p_with=$3
  set -- "HOME=$HOME" "USER=$(id -un)" "LOGNAME=$(id -un)" "SHELL=$p_with" PATH=/usr/local/bin:/usr/bin:/bin \
    "SSH_CLIENT=${SSH_CLIENT:-127.0.0.1 0 22}" "SSH_CONNECTION=${SSH_CONNECTION:-127.0.0.1 0 127.0.0.1 22}" \
    ${P_LANG:+"LANG=$P_LANG"} "$p_with"
  cd || exit 125
  umask "$P_UMASK"
  p_read=". '$P_SCRATCH/text'" p_probe="/bin/sh '$P_SCRATCH/probe' '$P_SCRATCH/word'"
  case $p_dialect in
    bash) set -- "$@" --norc --noprofile; [ "$p_of" != person ] || set -- "$@" -i ;;
    zsh) set -- "$@" -f; [ "$p_of" != person ] || set -- "$@" -i ;;
    csh) set -- "$@" -f; p_read="source '$P_SCRATCH/text'" ;;
  esac
  # The server runs its file by itself; whatever becomes of that, a shell is started.
  if [ "$p_of" = server ]; then p_read="/bin/sh '$P_SCRATCH/text' </dev/null"; fi
  # Two lines: what is wrong in the first must not keep the second from being read.
  exec $P_SETSID env -i "$@" -c "$p_read
$p_probe"
}
