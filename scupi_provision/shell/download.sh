# Downloads $part from the sources given, in order. Run as a job: sh, plus curl or wget.
# shellcheck shell=sh
# shellcheck disable=SC2329  # functions are called through a variable
# set -- PART SHA256 LIMIT_S URL… comes before this text. Nothing is ever visible under the final name from here.

part=$1 sha256=$2 limit=$3
shift 3

matches() {
  [ -f "$part" ] || return 1
  [ -n "$sha256" ] || return 0
  got=$(sha256sum <"$part")
  [ "${got%% *}" = "$sha256" ]
}

# Stalled sources are left after a minute below 1 KiB/s; a part that is there is resumed.
by_curl() {
  curl -fsSL --connect-timeout 20 --speed-limit 1024 --speed-time 60 --max-time "$limit" -C - -o "$part" "$1"
  status=$?
  case $status in
    33 | 36 | 22) # cannot resume (or nothing left to resume): start again from nothing
      rm -f "$part"
      curl -fsSL --connect-timeout 20 --speed-limit 1024 --speed-time 60 --max-time "$limit" -o "$part" "$1"
      status=$?
      ;;
  esac
  return "$status"
}

by_wget() { wget -q -c -T 60 -O "$part" "$1"; }

if command -v curl >/dev/null 2>&1; then
  with=by_curl
elif command -v wget >/dev/null 2>&1; then
  with=by_wget
else
  echo 'neither curl nor wget is on this host: nothing can be downloaded here' >&2
  exit 69
fi

if [ -n "$sha256" ] && matches; then exit 0; fi
[ -n "$sha256" ] || rm -f "$part"

for url do
  echo "downloading $url"
  if ! "$with" "$url"; then
    echo "$url: the download failed" >&2
    continue
  fi
  if matches; then exit 0; fi
  if [ -f "$part" ]; then echo "$url: sha256 is ${got%% *}, expected $sha256" >&2; fi
  rm -f "$part"
done
exit 1
