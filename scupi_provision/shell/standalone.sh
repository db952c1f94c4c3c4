# What a compiled script has in the place of a controller: it says what happens, and counts.
# Evaluated after the runtime (without bring.sh and aside.sh), parts of which it replaces.
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2153,SC2154  # P_… are set by the runtime, S_… are used there and by the program

S_CHANGED=0 S_FINE=0 S_PASSED=0 S_WRONG=0 S_DONE='' S_TOUCHED='' S_KEEP='' S_SAW='' S_GUARDED='' S_BLANK=" 	$P_NL" S_CODE=0 S_SECONDS=0

# --- the line: there is none, so events become words for people ---------------------------------------------------

s_print() { p_put "$1$P_NL" >&3; }
p_say() { p_put "$1"; }
p_text() { [ ! -s "$1" ] || tail -c "${2:-65536}" -- "$1"; }
p_emit() {
  P_SEQ=$((P_SEQ + 1)) s_kind=$1; shift # names of what this run makes have the number in them
  case $s_kind in
    fact) s_told "$@" ;;
    ran) S_RC=$2 S_OUT=$3 S_ERR=$4 S_LOG=$5 ;;
    note) s_print "           $1" ;;
    guard) case $1 in back | lost) s_print "           put $1: $2" ;; left) s_print "           left as it is, since somebody has changed it: $2" ;; esac ;;
    denied) s_print "stopped: $1"; S_CODE=1 ;;
    locked) s_print "another run is at work on this account: $1"; s_print 'wait for it, then run this script again'; S_CODE=3 ;;
  esac
}

# Says once in a while that a program is alive: a web shell may hang up on a line on which nothing moves.
p_tell() { # STEP ELAPSED DIRECTORY
  [ $(($2 % 15)) -eq 0 ] || return 0
  p_phase=
  [ -r "$3/phase" ] && read -r p_phase <"$3/phase"
  s_print "           $2 s  $p_phase $(tail -n 1 -- "$3/out" 2>/dev/null | tail -c 100)"
}

# A short program ends with the script, however that ends; a durable one goes on, and the next start joins it.
p_watch() { # PID DURABLE
  while kill -0 $$ 2>/dev/null; do p_doze 1; done
  [ -n "$2" ] || { p_end_tree TERM "$1"; p_doze 2; p_end_tree KILL "$1"; }
}

s_interrupted() {
  s_print 'stopped; run the same script again, it goes on where this one ended'
  p_unlock
  exit 130
}
trap s_interrupted INT

# --- steps ----------------------------------------------------------------------------------------------------------

s_step() { # NUMBER LABEL: begins one, unless an earlier one has ended the script
  [ -z "$P_STOP" ] || return 1
  P_STEP=$1 S_LABEL=$2 P_WHY='' S_DONE='' S_RC='' S_OUT='' S_ERR='' S_LOG='' S_NEWS=yes S_KEEP='' S_SAW=''
  S_BEGAN=$(date +%s)
  true >"$P_RUN/err" || { P_STOP=failed; s_print "stopped: cannot write in $P_RUN"; S_CODE=1; return 1; }
}

s_close() { # STATUS IGNORED
  [ -z "$S_SAW" ] || eval "p_guard_saw $S_SAW"
  S_SECONDS=$(($(date +%s) - S_BEGAN))
  if [ "$1" -eq 0 ]; then
    if [ -n "$S_DONE" ]; then S_CHANGED=$((S_CHANGED + 1)); s_report changed; else S_FINE=$((S_FINE + 1)); s_report ok; fi
    return 0
  fi
  s_report "${P_STOP:-failed}"
  s_print "           ${P_WHY:-it failed}"
  [ ! -s "$P_RUN/err" ] || tail -n 5 -- "$P_RUN/err" | s_indent
  [ -z "$S_OUT$S_ERR" ] || { p_put "$S_OUT$P_NL$S_ERR$P_NL" | tail -n 20 | s_indent; }
  [ -z "$S_LOG" ] || s_print "           the whole output: $S_LOG/out and $S_LOG/err"
  if [ -n "$2" ] && [ "$P_STOP" != stale ]; then s_print '           ignored, as the playbook says'; P_STOP=''; return 0; fi
  P_STOP=${P_STOP:-failed} S_CODE=1
  return 1
}

s_report() { # OUTCOME
  s_took=
  [ "$S_SECONDS" -lt 2 ] || s_took=" ($S_SECONDS s)"
  case $1 in
    changed) s_print "  changed  $S_LABEL$s_took" ;;
    ok) s_print "  ok       $S_LABEL" ;;
    stale) s_print "  STOPPED  $S_LABEL" ;;
    *) s_print "  FAILED   $S_LABEL$s_took" ;;
  esac
}

s_indent() { while IFS= read -r s_line || [ -n "$s_line" ]; do s_print "           | $s_line"; done; }

# Before the first change, earlier proofs of verification fall.
s_touch() {
  [ -z "$S_KEEP" ] || s_keep || return 1
  [ -z "$S_NEWS" ] || S_DONE=yes
  [ -z "$S_TOUCHED" ] || return 0
  S_TOUCHED=yes
  p_unprove
  [ -z "$P_STOP" ]
}

# --- the end --------------------------------------------------------------------------------------------------------------

s_leave() { # leaves the account to others, and says what was done
  [ -z "$S_GUARDED" ] || s_verdict
  { p_unlock; wait "$P_LEASE"; } 2>/dev/null # else bash tells that a background job was killed
  p_close_run
  [ -z "$P_STOP" ] || { s_print 'stopped: what was done so far is whole; run the same script again when the cause is gone'; exit "${S_CODE:-1}"; }
  s_print "done: $S_CHANGED changed, $S_FINE as they should be"
}

s_sum() { # NAME: the end of the checks on a node
  p_close_run
  [ "$S_WRONG" -eq 0 ] || { s_print "not proved: $S_WRONG of $((S_WRONG + S_PASSED)) checks failed on $1"; exit 4; }
  s_print "proved on $1: $S_PASSED checks passed"
}

# s_elsewhere ROLE NAME SSH-ARGUMENTS…: the checks of ROLE on another node.
s_elsewhere() {
  s_node=$2 s_asked=$1
  s_send "$@" >&3
  s_status=$?
  case $s_status in
    0) ;;
    2 | 4) S_CODE=4 ;;
    *)
      S_CODE=3
      s_print "not proved: $s_node could not be asked from here (ssh ended with $s_status). Where you can log in to $s_node, run there:"
      s_print "  sh $S_NAME $s_asked"
      ;;
  esac
}
