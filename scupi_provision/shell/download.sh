# Downloads $part from the sources given, in order. Run as a job: sh and coreutils, plus curl or wget.
# shellcheck shell=sh
# shellcheck disable=SC2154,SC2329  # part, sha256, limit and window are set ahead of this text; functions called by variable
#   part          where it goes; what an earlier run left there is continued. Nothing is visible under the final name here
#   sha256        what it must hash to, or nothing
#   limit         seconds for one source
#   window        seconds over which a source is judged: one that is too slow is left
#   "$@"          the sources

LEAST=20480 LEAST_OF_LAST=1024 # bytes a second; the last source may be slow, there is no other

size() { stat -c %s -- "$part" 2>/dev/null || echo 0; }

matches() {
  [ -f "$part" ] || return 1
  [ -n "$sha256" ] || return 0
  got=$(sha256sum <"$part")
  [ "${got%% *}" = "$sha256" ]
}

# Beside a download: tells how far it is, and ends it when it stalls or its time is over.
tend() { # PID BYTES_A_SECOND
  seconds=0 before=$(size)
  while sleep 1 && kill -0 "$1" 2>/dev/null; do
    seconds=$((seconds + 1)) now=$(size)
    [ -z "${PROVISION_JOB-}" ] || echo "download, $((now / 1048576)) MB" >"$PROVISION_JOB/phase"
    if [ $((seconds % window)) -eq 0 ]; then
      [ $((now - before)) -ge $(($2 * window)) ] || break
      before=$now
    fi
    [ "$seconds" -lt "$limit" ] || break
  done
  kill "$1" 2>/dev/null
}

# Both replace the shell that calls them, so that ending it ends them.
# The answer's code, written down, tells a source without the file (404) from one that cannot continue (416).
by_curl() { # URL
  secure=
  case $sha256$1 in https:*) secure='--proto-redir =https' ;; esac # without a hash nothing may come unprotected
  # shellcheck disable=SC2086  # two words, or none
  exec curl -fsSL $secure --connect-timeout 20 -C - -w '%{http_code}' -o "$part" "$1" >"$part.code"
}

# Without -T: busybox 1.35 dies of it, and `tend` keeps the time.
by_wget() { exec wget -q -c -O "$part" "$1"; }

# Whether the source is there but cannot continue what we have. wget does not tell, so it is asked again.
cannot_continue() { # STATUS
  case $with:$1:$(cat "$part.code" 2>/dev/null) in
    by_curl:33:* | by_curl:36:* | by_curl:22:416 | by_wget:*) return 0 ;;
  esac
  return 1
}

attempt() { # URL BYTES_A_SECOND
  "$with" "$1" &
  pid=$!
  tend "$pid" "$2" >/dev/null 2>&1 &
  tender=$!
  wait "$pid"
  status=$?
  kill "$tender" 2>/dev/null
  wait "$tender" 2>/dev/null
  case $with:$status in
    *:1[234]?) echo "$1: too slow (less than $2 bytes a second), or its time was over" >&2 ;;
    by_wget:8) echo "$1: refused by the server" >&2 ;; # GNU wget says nothing when it is told to be quiet
    by_wget:[45]) echo "$1: not to be reached, or not to be trusted (wget ended with status $status)" >&2 ;;
  esac
  return "$status"
}

# A part of something else shall not spoil the source that comes after it: it is started anew, once.
fetch() { # URL BYTES_A_SECOND
  began=$(size)
  attempt "$@"
  status=$?
  [ "$status" -ne 0 ] || matches || [ "$began" -eq 0 ] || status=anew
  if [ "$status" != 0 ] && [ "$began" -gt 0 ] && { [ "$status" = anew ] || cannot_continue "$status"; }; then
    mv -f -- "$part" "$part.old" || return 1
    attempt "$@"
    status=$?
    # What cannot be had here at all may still be continued elsewhere.
    if [ "$status" -ne 0 ] && [ "$(size)" -lt "$began" ]; then mv -f -- "$part.old" "$part"; fi
  fi
  rm -f -- "$part.old" "$part.code"
  case $with:$status in by_curl:22 | by_wget:8) answered=yes ;; esac
  return "$status"
}

complain() { # URL
  case $(head -c 512 -- "$part" | tr -d '\000' | tr '[:upper:]' '[:lower:]') in
    *'<!doctype html'* | *'<html'*)
      echo "$1: a web page came in place of the file (does the network want a login in a browser first?)" >&2 ;;
    *)
      answered=yes
      echo "$1: sha256 is ${got%% *}, expected $sha256" >&2
      ;;
  esac
}

if command -v curl >/dev/null 2>&1; then
  with=by_curl
elif command -v wget >/dev/null 2>&1; then
  with=by_wget
else
  echo 'neither curl nor wget is on this host: nothing can be downloaded here' >&2
  exit 69
fi

if [ -n "$sha256" ] && matches; then exit 0; fi
[ -n "$sha256" ] || rm -f -- "$part"

answered=
while [ $# -gt 0 ]; do
  url=$1
  shift
  echo "downloading $url"
  if [ $# -gt 0 ]; then rate=$LEAST; else rate=$LEAST_OF_LAST; fi
  if ! fetch "$url" "$rate"; then
    echo "$url: the download failed" >&2
    continue
  fi
  if matches; then exit 0; fi
  complain "$url"
  rm -f -- "$part"
done
# Where nobody gave an answer of its own, it is this host that does not reach them: another computer might.
[ -n "$answered" ] && exit 1
exit 75
