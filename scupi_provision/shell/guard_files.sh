# What the lockout guard keeps of a path and how it is put back. The watchdog has this text alone, nothing of runtime.sh.
# shellcheck shell=sh
# shellcheck disable=SC2034  # G_… are used in guard.sh
# Whatever is done here may be done again, by anybody, from any point at which it was cut short.
#   ~/.provision/guard/RUN/         waits for a verdict; its watchdog ends by itself when this name is gone
#     busy                          there while the stream goes on
#     owner dog                     NODE BOOT PID-OF-SESSION; PID-OF-WATCHDOG
#     N/path was was.sig            one path as it was before; was.sig comes last: without it nothing was changed yet
#     N/new                         the signature of what the stream has left there; without it, it was cut short
#     N/mine mine.sig               what was put aside when the old was put back
#   ~/.provision/guard/RUN.back/    taken back, or about to be; `note` says so when it is done
#   ~/.provision/guard/RUN.kept/    on its way out

g_sig() { # PATH: sets G_SIG to what is there, in a word
  if [ -L "$1" ]; then G_SIG="l $(readlink -n -- "$1"; echo .)"
  elif [ -d "$1" ]; then G_SIG="d $(stat -c %a -- "$1")"
  elif [ -f "$1" ]; then
    g_sum=$(sha256sum <"$1") || return 1
    G_SIG="f $(stat -c %a -- "$1") ${g_sum%% *}"
  elif [ -e "$1" ]; then G_SIG=o
  else G_SIG=-; fi
}

g_note() { printf %s "$1" >"$2.part" && mv -f -- "$2.part" "$2"; } # TEXT FILE, whole or not at all

# Also where nobody takes note of the end of a process, as in a container without an init.
g_lives() { # PID
  kill -0 "$1" || return 1
  if read -r g_stat <"/proc/$1/stat"; then case ${g_stat##*) } in [ZX]*) return 1 ;; esac; fi
} 2>/dev/null

# g_save PATH NAME: a copy of PATH as NAME, then its signature. A folder is copied only as `tree`; else its mode counts.
g_save() { # PATH NAME FORM
  g_sig "$1" || return 1
  g_of=$G_SIG
  case $g_of in
    f*)
      cp -p -- "$1" "$2" && g_sig "$2" || return 1
      [ "${G_SIG##* }" = "${g_of##* }" ] || return 1
      ;;
    l*) g_link=${g_of#l }; ln -s -- "${g_link%.}" "$2" || return 1 ;;
    d*) [ "$3" != tree ] || cp -pPR -- "$1" "$2" || return 1 ;;
    o) return 1 ;;
  esac
  g_note "$g_of" "$2.sig"
}

# g_place NAME PATH: has PATH be again what was saved as NAME, by one rename. Where a full disk has no room for the
# name that is renamed, what was saved is given up for it.
g_place() {
  g_want=$(cat -- "$1.sig") && g_sig "$1" || return 1
  g_temp=${2%/*}/.provision-guard-${G_DIR##*/}
  rm -rf -- "$g_temp"
  case $g_want in
    -) if [ -d "$2" ] && ! [ -L "$2" ]; then rmdir -- "$2"; else rm -f -- "$2"; fi ;;
    d*)
      if [ ! -e "$2" ]; then
        if [ -d "$1" ]; then cp -pPR -- "$1" "$g_temp"; else mkdir -- "$g_temp"; fi && mv -T -- "$g_temp" "$2" || return 1
      fi
      chmod "${g_want#d }" -- "$2"
      ;;
    *)
      [ "${G_SIG##* }" = "${g_want##* }" ] || return 1
      cp -pP -- "$1" "$g_temp" && mv -T -f -- "$g_temp" "$2" && return
      rm -f -- "$g_temp"
      mv -T -f -- "$1" "$2"
      ;;
  esac 2>/dev/null
}

g_path() { G_PATH=$(cat -- "$1/path" && echo .) && G_PATH=${G_PATH%.}; }

# g_undo FOLDER: puts one path back and says so; what somebody else has made of it since is left alone.
g_undo() {
  [ -e "$1/was.sig" ] && g_path "$1" || return 0
  g_sig "$G_PATH" || G_SIG=o
  g_now=$G_SIG
  [ "$g_now" != "$(cat -- "$1/was.sig")" ] || return 0
  if [ -e "$1/new" ] && [ "$g_now" != "$(cat -- "$1/new")" ]; then echo "left $G_PATH"; return 0; fi
  # Only for putting it in again, so room for it is not insisted on.
  g_save "$G_PATH" "$1/mine" flat
  if g_place "$1/was" "$G_PATH"; then echo "back $G_PATH"; else echo "lost $G_PATH"; fi
} 2>/dev/null

g_undo_all() { # the last first: a folder that was made goes after what was put into it
  g_number=0
  while [ -d "$G_DIR/$((g_number + 1))" ]; do g_number=$((g_number + 1)); done
  while [ "$g_number" -gt 0 ]; do
    g_undo "$G_DIR/$g_number"
    g_number=$((g_number - 1))
  done
}

# Sets g_text to what has been put back. `note` says it to the next run, and is the sign that it is done.
g_take_back() {
  [ -d "$G_DIR" ] && mv -T -- "$G_DIR" "$G_DIR.back" 2>/dev/null
  g_text=''
  [ -d "$G_DIR.back" ] || return 1
  G_DIR=$G_DIR.back
  if [ -e "$G_DIR/note" ]; then g_text=$(cat -- "$G_DIR/note"); return; fi
  g_text=$(g_undo_all)
  g_note "$g_text" "$G_DIR/note" 2>/dev/null
}

# The clock stands still while the stream goes on: it may build for hours after the change.
g_watch() { # FOLDER SESSION SECONDS
  trap '' HUP
  G_DIR=$1 g_left=$3
  while [ "$g_left" -gt 0 ]; do
    sleep 1 || exit
    [ -d "$G_DIR" ] || exit 0
    g_left=$((g_left - 1))
    if [ -e "$G_DIR/busy" ] && g_lives "$2"; then g_left=$3; fi
  done
  g_take_back
}
