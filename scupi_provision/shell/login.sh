# What a person's own shells find in this account. Runs below the shell that a fresh login has started, on its own.
# shellcheck shell=sh
# shellcheck disable=SC2154  # L_WORD and L_LIMIT are set ahead of this text
# Tells WORD-own when it begins, WORD-login and WORD-person for a shell that found `sh` and `ls`, WORD-end at its end.

# As sshd starts a login: nothing from the shell above, whose start-up files may have spoilt it.
l_clean() {
  exec env -i HOME="$HOME" USER="$(id -un)" LOGNAME="$(id -un)" SHELL="$L_SHELL" TERM=dumb HISTFILE=/dev/null \
    ${PROVISION_LAB_PATH+"PROVISION_LAB_PATH=$PROVISION_LAB_PATH"} $L_SETSID "$@"
}

# Ends a shell that takes too long, and all that it has started. The nap outlives it by a second at most.
l_within() { # PID
  l_seconds=0
  while [ "$l_seconds" -lt "$L_LIMIT" ] && kill -0 "$1"; do
    sleep 1
    l_seconds=$((l_seconds + 1))
  done
  kill -KILL "$1"
  kill -KILL "${L_SETSID:+-}$1"
} >/dev/null 2>&1

l_wait() { # PID
  l_within "$1" &
  l_dog=$!
  wait "$1"
  kill -KILL "$l_dog"
  wait "$l_dog"
} 2>/dev/null

cd || exit
L_SHELL=${SHELL:-/bin/sh}
if command -v setsid >/dev/null 2>&1; then L_SETSID=setsid; else L_SETSID=; fi
echo "$L_WORD-own"
case ${L_SHELL##*/} in
  # The only flag of a csh that is to read ~/.login.
  csh | tcsh)
    l_clean "$L_SHELL" -l 2>&1 <<END &
sh -c "ls -d / >/dev/null && echo $L_WORD''-login"; kill -9 \$\$
END
    l_wait $! ;;
  *)
    l_clean "$L_SHELL" -l -c "sh -c \"ls -d / >/dev/null && echo $L_WORD''-login\"" </dev/null 2>&1 &
    l_wait $! ;;
esac
# What a person gets who logs in. Told by standard input, so that it is heard also where a file says `exec zsh`; the
# history would be written at the end of the shell, so it is given none.
case ${L_SHELL##*/} in
  bash | zsh | ksh | mksh | dash | ash | sh)
    l_clean "$L_SHELL" -l -i 2>/dev/null <<END &
sh -c "ls -d / >/dev/null && echo $L_WORD''-person"; kill -9 \$\$
END
    l_wait $! ;;
  *) echo "$L_WORD-person" ;;
esac
echo "$L_WORD-end"
