# Runs pip in an environment and leaves a stamp when it ended well, with pip's report beside it. Run as a durable job.
# shellcheck shell=sh
# shellcheck disable=SC2154  # python, arguments (quoted words), stamp, requirements and spent are set ahead
# requirements: "yes" when a list of exact packages comes on standard input. It is kept as $stamp.txt, each line with its
#   address as a comment: it tells what was installed from where as pip's report does elsewhere.
# PROVISION_PLACES: where to look, one attempt a line, each of words: at most one index, any number of find-links:WHERE.

[ -x "$python" ] || { printf '%s\n' "$python is not there: make the environment first" >&2; exit 1; }
eval "set -- $arguments"
mkdir -p -- "${stamp%/*}" || exit 1

# What was installed from where, with hashes: pip tells it from 22.2 on. Its version is read from a name.
if [ -n "$requirements" ]; then
  cat >"$stamp.txt" || exit 1
  set -- "$@" --requirement "$stamp.txt"
elif [ "$1" = install ]; then
  for info in "${python%/bin/*}"/lib/python*/site-packages/pip-*.dist-info; do
    version=${info##*/pip-} && version=${version%.dist-info}
    major=${version%%.*} && rest=${version#*.} && minor=${rest%%.*}
    if [ "$major" -gt 22 ] || { [ "$major" -eq 22 ] && [ "$minor" -ge 2 ]; }; then
      set -- "$@" --report "$stamp.json.new"
      break
    fi 2>/dev/null
  done
fi

run_pip() {
  "$python" -m pip "$@" || return 1
  [ ! -e "$stamp.json.new" ] || mv -f -- "$stamp.json.new" "$stamp.json" || return 1
  : >"$stamp"
  [ -z "$spent" ] || rm -rf -- "$spent"
}

# go_to WORD…: pip's settings for one attempt. Without an index the folders are all there is.
go_to() {
  unset PIP_INDEX_URL PIP_FIND_LINKS PIP_NO_INDEX
  shown=
  for word do
    case $word in
      find-links:*) word=${word#find-links:} && PIP_FIND_LINKS="${PIP_FIND_LINKS-}${PIP_FIND_LINKS:+ }$word" ;;
      *) PIP_INDEX_URL=$word ;;
    esac
    case $word in *://*@*) word=${word%%://*}://${word#*@} ;; esac # without a password
    shown="$shown $word"
  done
  if [ -n "${PIP_INDEX_URL-}" ]; then export PIP_INDEX_URL; else export PIP_NO_INDEX=1; fi
  [ -z "${PIP_FIND_LINKS-}" ] || export PIP_FIND_LINKS
}

# What another place cannot mend: a build that fails, a full disk, a home that cannot be written.
is_hopeless() {
  case $(tail -c 16384 -- "${PROVISION_JOB-.}/err" 2>/dev/null) in
    *'Failed building wheel'* | *'Failed to build'* | *metadata-generation-failed* | *subprocess-exited-with-error* | \
      *'No space left on device'* | *'Disk quota exceeded'* | *'Permission denied'* | *'Read-only file system'*) return 0 ;;
  esac
  return 1
}

# For a host without internet there is another way.
advise() {
  case $(tail -c 16384 -- "${PROVISION_JOB-.}/err" 2>/dev/null) in
    *'Failed to establish a new connection'* | *'Temporary failure in name resolution'* | *'Network is unreachable'* | \
      *ConnectTimeoutError* | *'Connection refused'*)
      echo 'this host does not reach a package index: packages can be brought to it (provision lock, provision bundle)' >&2 ;;
  esac
}

if [ -z "${PROVISION_PLACES-}" ]; then
  run_pip "$@" && exit
  advise
  exit 1
fi
set -f # a place is words, never a pattern
newline='
'
rest=$PROVISION_PLACES$newline count=0
while [ -n "$rest" ]; do
  place=${rest%%"$newline"*} rest=${rest#*"$newline"} count=$((count + 1))
  # shellcheck disable=SC2086  # words are meant
  go_to $place
  # A place that does not answer shall not cost minutes while there are others.
  if [ -n "$rest" ]; then export PIP_RETRIES=1; else unset PIP_RETRIES; fi
  [ "$count" -eq 1 ] || printf 'looking elsewhere:%s\n' "$shown"
  run_pip "$@" && exit
  is_hopeless && exit 1
  printf 'pip could not do it with%s\n' "$shown" >&2
done
advise
exit 1
