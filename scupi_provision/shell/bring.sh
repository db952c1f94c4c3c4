# Files that the controller brings: received ahead of the steps that need them, below ~/.provision/brought by their hash.
# Evaluated after jobs.sh.
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154  # P_… are set by runtime.sh and by the program

# p_receive SHA256 FROM LEFT: FROM bytes are in the part already, LEFT follow on the line. They are taken off the line
# whatever happens; what a cut line has brought stays in the part, for the next run to go on from.
p_receive() {
  p_file=$P_ROOT/brought/$1.part
  if p_private "$P_ROOT/brought" && p_is_long "$2"; then
    p_pour "$3" | { cat >>"$p_file" || cat >/dev/null; } 2>>"$P_RUN/err"
  else
    p_pour "$3" >/dev/null
  fi
  if [ -f "$p_file" ] && p_digest "$p_file" && [ "$P_DIGEST" = "$1" ]; then
    mv -f -- "$p_file" "$P_ROOT/brought/$1" 2>>"$P_RUN/err" && return
  fi
  P_STOP=failed P_WHY="a file could not be received whole in $P_ROOT/brought (disk full, or over quota?)"
  if p_is_long $(($2 + $3)); then
    rm -f -- "$p_file"
    P_WHY='a file that was sent arrived with another content'
  fi
  p_emit denied "$(p_say "$P_WHY")"
}

# p_is_long BYTES: whether the part is, after an empty one was begun anew
p_is_long() {
  [ "$1" -ne 0 ] || ( umask 077; : >"$p_file" ) 2>>"$P_RUN/err" || return 1
  [ "$(stat -c %s -- "$p_file" 2>/dev/null)" = "$1" ]
}

# p_bring SHA256 PATH MODE: puts a file that was received into its place. It may be needed again, so it stays; the first
# place is a second name of it where that is possible, which costs no room (a third would share the mode as well).
# p_forget_brought removes the first names when the stream has ended.
p_bring() {
  p_file=$P_ROOT/brought/$1
  if ! [ -f "$p_file" ] || ! p_digest "$p_file" || [ "$P_DIGEST" != "$1" ]; then
    P_WHY="$p_file is not there, or not what was sent"
    return 1
  fi
  p_near "$2" || return 1
  case " $P_BROUGHT " in *" $1 "*) false ;; *) ln -- "$p_file" "$P_TEMP" 2>/dev/null ;; esac ||
    cp -- "$p_file" "$P_TEMP" 2>>"$P_RUN/err" || { P_WHY="cannot create a file in ${2%/*}"; p_drop; return; }
  P_BROUGHT="$P_BROUGHT $1"
  p_place "$P_TEMP" "$2" "$3"
}

p_forget_brought() {
  [ -n "$P_BROUGHT" ] || return
  for p_sum in $P_BROUGHT; do rm -f -- "$P_ROOT/brought/$p_sum"; done
  rmdir -- "$P_ROOT/brought" 2>/dev/null # unless something is left for the next run
  P_BROUGHT=''
}
