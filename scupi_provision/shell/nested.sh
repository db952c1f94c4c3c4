# From this host on to the next one by the system's ssh: evaluated by the bootstrap of program.py on the host before it.
# One connection is kept for as long as the controller is there; each shell is one more session on it.
# shellcheck shell=sh
# shellcheck disable=SC2154  # MARK, OPTIONS, HOST and what else a function names are set ahead of this text

p_say() { # WORD…: a line to the controller, told from what the login files print by its mark
  p_put "$MARK $*
" >&3
}

p_keep_open() { # KNOWN: lines of known_hosts, all that the controller trusts this name with
  umask 077
  # Not in the home: a look at a host writes nothing there, and a socket does not work on every network file system.
  p_dir=$(mktemp -d /tmp/provision-ssh-XXXXXX) || exit 96
  trap 'rm -rf -- "$p_dir"' EXIT
  trap 'exit 143' HUP INT TERM
  trap : PIPE # when the controller is gone, there is still to be cleaned up
  p_put "$KNOWN" >"$p_dir/known_hosts" || exit 96
  eval "set -- $OPTIONS"
  # ssh runs the local command when it is logged in, by the shell that $SHELL names.
  SHELL=/bin/sh ssh -M -N "$@" -o "UserKnownHostsFile=$p_dir/known_hosts" -o "ControlPath=$p_dir/line" \
    -o PermitLocalCommand=yes -o "LocalCommand=echo $MARK up $p_dir" -- "$HOST" </dev/null >&3 3>&- 4<&- &
  p_ssh=$!
  # The controller says nothing more: the end of its input is its end.
  (while read -r _; do :; done; kill "$p_ssh") <&4 >/dev/null 2>&1 3>&- &
  p_watch=$!
  wait "$p_ssh"
  p_status=$?
  kill "$p_watch" 2>/dev/null
  for p_key in "$HOME"/.ssh/id_*; do
    case $p_key in *.pub) ;; *) [ ! -f "$p_key" ] || p_say key "~${p_key#"$HOME"}" ;; esac
  done
  p_say ended "$p_status"
  exit 0
}

p_through() { # DIR: where the connection is; COMMAND: what the login shell of the next host runs
  p_say begins
  eval "set -- $OPTIONS"
  # Were the connection gone, ssh would make another one by itself: that one must fail.
  exec ssh "$@" -S "$DIR/line" -o ControlMaster=no -o ProxyCommand=false -- "$HOST" "$COMMAND" <&4 >&3 3>&- 4<&-
}

p_offered() { # PORT: the host keys that the next host offers
  ssh-keyscan -T 10 -p "$PORT" "$HOST" 2>/dev/null </dev/null | while read -r _ p_key; do p_say offers "$p_key"; done
  p_say ended 0
  exit 0
}
