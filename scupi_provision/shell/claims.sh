# What a compiled script expects of a node, judged there. Evaluated after standalone.sh.
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2153,SC2154  # as in standalone.sh

s_trim() { # TEXT: sets S_TRIMMED, without white space at both ends
  S_TRIMMED=$1
  while :; do
    case $S_TRIMMED in
      ["$S_BLANK$S_RETURN"]*) S_TRIMMED=${S_TRIMMED#?} ;;
      *["$S_BLANK$S_RETURN"]) S_TRIMMED=${S_TRIMMED%?} ;;
      *) return ;;
    esac
  done
}

# s_test …: as p_run; runs what a check asks about, for the claims that follow. A check begins with s_ask_about.
s_ask_about() { s_step "$1" "$2" && S_WRONGS=''; } # NUMBER LABEL
s_test() {
  S_LIMIT=$2
  s_ask "$@" || { s_wrong 'it to be started' "$P_WHY"; return 0; }
  P_WHY=''
  s_trim "$S_OUT"; S_OUT=$S_TRIMMED
  s_trim "$S_ERR"; S_ERR=$S_TRIMMED
  [ "$S_RC" -ne 124 ] || s_wrong "an end within $S_LIMIT s" 'that it did not end'
}

s_wrong() { S_WRONGS="$S_WRONGS           expected $1, saw ${2:-nothing}$P_NL"; } # EXPECTED SEEN
s_late() { [ -n "$S_WRONGS" ] && [ "$S_RC" = 124 ]; }

s_prints() { s_late || [ "$S_OUT" = "$1" ] || s_wrong "it to print \"$1\"" "$S_OUT"; }
s_holds() { s_late || case $S_OUT in *"$1"*) ;; *) s_wrong "it to print \"$1\" somewhere" "$S_OUT" ;; esac; }
s_avoids() { s_late || case $S_OUT in *"$1"*) s_wrong "it not to print \"$1\"" "$S_OUT" ;; esac; }
s_complains() { s_late || case $S_ERR in *"$1"*) ;; *) s_wrong "\"$1\" on stderr" "$S_ERR" ;; esac; }
s_ends() { s_late || [ "$S_RC" = "$1" ] || s_wrong "status $1" "$S_RC: $S_ERR"; }

# expr is the one tool of coreutils that knows regular expressions; its are anchored, so the text begins with a sign.
s_fits() { # BASIC-EXPRESSION WORDS
  s_late || expr "=$S_OUT" : "$1" >/dev/null || s_wrong "it to print what matches $2" "$S_OUT"
}

s_found() { # PATH FOLLOW KIND…: what must be there; any kind but nothing where none is named
  s_at=$1 s_follow=$2; shift 2
  p_kind "$s_at"
  if [ -n "$s_follow" ] && [ "$P_KIND" = l ]; then
    if [ -d "$s_at" ]; then P_KIND=d; elif [ -f "$s_at" ]; then P_KIND=f; elif [ -e "$s_at" ]; then P_KIND=o; else P_KIND=-; fi
  fi
  for s_one do [ "$P_KIND" != "$s_one" ] || return 0; done
  if [ $# -eq 0 ] && [ "$P_KIND" != - ]; then return 0; fi
  s_wrong "$s_at to be there, as said" "kind $P_KIND"
}
s_has_mode() { # PATH MODE
  [ -n "$S_WRONGS" ] || [ "$(stat -L -c %a -- "$1" 2>/dev/null)" = "$2" ] || s_wrong "mode $2 of $1" "$(stat -L -c %a -- "$1")"
}
s_has_text() { [ -n "$S_WRONGS" ] || case $(cat -- "$1") in *"$2"*) ;; *) s_wrong "\"$2\" in $1" 'a file without it' ;; esac; } # PATH TEXT
s_points() { [ -n "$S_WRONGS" ] || [ "$(readlink -n -- "$1" && echo .)" = "$2." ] || s_wrong "$1 -> $2" "$(readlink -- "$1")"; } # PATH TARGET

s_judge() { # IGNORED
  if [ -z "$S_WRONGS" ]; then S_PASSED=$((S_PASSED + 1)); s_print "  passed   $S_LABEL"; return; fi
  [ -z "$1" ] || { s_print "  ignored  $S_LABEL"; p_put "$S_WRONGS" >&3; return; }
  S_WRONG=$((S_WRONG + 1))
  s_print "  FAILED   $S_LABEL"
  p_put "$S_WRONGS" >&3
}
