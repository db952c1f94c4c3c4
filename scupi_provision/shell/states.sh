# What is at a path, and what a compiled script does about it: each action is tested first. Evaluated after standalone.sh.
# A state is one word KIND:MODE:DIGEST:TARGET; what is empty in it is not compared.
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2153,SC2154  # as in standalone.sh

s_see() { S_SEEN=$1 S_SUM='' S_MODE=''; p_kind "$1"; } # PATH

s_is() { # STATE: whether the path that was seen is so
  s_rest=${1#*:}
  [ "$P_KIND" = "${1%%:*}" ] || return 1
  s_want=${s_rest%%:*} s_rest=${s_rest#*:}
  if [ -n "$s_want" ]; then
    [ -n "$S_MODE" ] || S_MODE=$(stat -c %a -- "$S_SEEN")
    [ "$S_MODE" = "$s_want" ] || return 1
  fi
  s_want=${s_rest%%:*} s_rest=${s_rest#*:}
  if [ -n "$s_want" ]; then
    [ -n "$S_SUM" ] || { p_digest "$S_SEEN" 2>/dev/null && S_SUM=$P_DIGEST; }
    [ "$S_SUM" = "$s_want" ] || return 1
  fi
  [ -z "$s_rest" ] || [ "$(readlink -n -- "$S_SEEN" && echo .)" = "$s_rest." ]
}

s_astray() { # PATH
  case $P_KIND in
    -) s_now='nothing is' ;; f) s_now='a file with other content, or another mode, is' ;; d) s_now='a directory is' ;;
    l) s_now="a link to $(readlink -- "$1") is" ;; *) s_now='something that is no file is' ;;
  esac
  P_STOP=stale P_WHY="$s_now at $1, which this script was not made for; nothing was done about it. $S_ADVICE"
  return 1
}

# s_do PATH BEFORE… -- AFTER… -- COMMAND…: nothing where PATH is as after the command (or after what later steps make of
# it), the command where it is as before it, and else the end: what is there is somebody's.
s_do() {
  s_see "$1"; shift
  s_may='' s_have=''
  while [ "$1" != -- ]; do [ -n "$s_may" ] || ! s_is "$1" || s_may=yes; shift; done
  shift
  while [ "$1" != -- ]; do [ -n "$s_have" ] || ! s_is "$1" || s_have=yes; shift; done
  shift
  [ -z "$s_have" ] || return 0
  [ -n "$s_may" ] || { s_astray "$S_SEEN"; return 1; }
  s_touch && "$@"
}

# s_rests PATH STATE…: what a step looked at and left alone
s_rests() {
  s_see "$1"; shift
  for s_state do if s_is "$s_state"; then return 0; fi; done
  s_astray "$S_SEEN"
}

s_mode() { # PATH MODE…: gives it the first, unless it has one of them
  s_see "$1"
  s_wanted=$2; shift
  s_has=$(stat -c %a -- "$S_SEEN") || return 1
  for s_one do if [ "$s_has" = "$s_one" ]; then return 0; fi; done
  s_touch && p_chmod "$S_SEEN" "$s_wanted"
}

# As p_write; a file that is replaced keeps its mode where nobody asked for one.
s_rewrite() { # PATH MODE…
  s_see "$1"
  s_wanted=$2 s_path=$1; shift 2
  [ "$P_KIND" != f ] || s_wanted=$(stat -c %a -- "$s_path") || return 1
  p_write "$s_path" "$s_wanted" "$@"
}

s_copy() { # SOURCE PATH MODE, BEFORE…
  s_source=$1 s_to=$2 s_wanted=$3; shift 3
  p_digest "$s_source" 2>>"$P_RUN/err" || { P_WHY="cannot read $s_source"; return 1; }
  s_do "$s_to" "$@" -- "f::$P_DIGEST:" -- p_copy "$s_source" "$s_to" "$s_wanted"
}

s_all() { p_all_exist "$@"; } # PATH…
s_any() { for s_one do if [ -e "$s_one" ]; then return 0; fi; done; return 1; } # GLOB…

# A program: always something new, except one that only looks.
s_run() { s_touch && p_run "$@"; }
s_ask() { s_news=$S_NEWS S_NEWS=''; p_run "$@"; s_status=$?; S_NEWS=$s_news; return "$s_status"; }

s_still() { s_see "$1"; s_is "$2"; } # PATH STATE

# s_only ALLOWED… -- FOUND…: whether a glob finds nothing else than these; an unmatched pattern stays itself.
s_only() {
  s_known=$P_NL
  while [ "$1" != -- ]; do s_known=$s_known$1$P_NL; shift; done
  shift
  for s_one do
    [ -e "$s_one" ] || [ -L "$s_one" ] || continue
    case $s_known in
      *"$P_NL$s_one$P_NL"*) ;;
      *) P_STOP=stale P_WHY="$s_one is there, which this script was not made for. $S_ADVICE"; return 1 ;;
    esac
  done
}
