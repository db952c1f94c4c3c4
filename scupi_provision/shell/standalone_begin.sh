# How a compiled script begins: its own PATH and locale, and no functions of the account's in place of our tools.
# Run by whatever shell the person typed it into. The same as the bootstrap of a session (program.py) does for a line.
# shellcheck shell=sh
# shellcheck disable=SC2034  # used in the runtime
P_PATH=$PATH P_LANG=${LANG-} P_UMASK=$(umask)
unset ENV BASH_ENV CDPATH IFS GREP_OPTIONS POSIXLY_CORRECT
LC_ALL=C
unset -f base64 cat chmod cp date dd expr id ln mkdir mv readlink rm sha256sum sort stat sync tail touch tr uname 2>/dev/null
PATH=/usr/bin:/bin:/usr/local/bin:$PATH
export PATH LC_ALL
# `printf` is no builtin in mksh: there a large text would not fit on a command line.
case ${KSH_VERSION-} in '') p_put() { printf %s "$1"; } ;; *) p_put() { print -rn -- "$1"; } ;; esac
cd || exit 2
exec 3>&1 4</dev/null 1>&2
P_RUNID=$(date +%Y%m%dT%H%M%S)-$$
S_RETURN=$(printf '\r')
