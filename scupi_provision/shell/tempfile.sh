# Makes a file or folder with a name that nobody has, and tells it with its owner. folder, prefix, suffix and kind are set
# ahead of this text.
# shellcheck shell=sh
# shellcheck disable=SC2154  # see above

folder=${folder:-${TMPDIR:-/tmp}}
umask 077
tries=0
while [ "$tries" -lt 100 ]; do
  tries=$((tries + 1))
  # mktemp of old coreutils takes no suffix, so its own name is only a source of chance.
  name=$(mktemp -u XXXXXXXX) || exit 1
  made=$folder/$prefix$name$suffix
  if [ "$kind" = directory ]; then
    mkdir -- "$made" && break
  else
    ( set -C; : >"$made" ) && break
  fi
  [ -e "$made" ] || exit 1
done
printf '%s\n' "$made"
id -u
id -g
