# Makes one request. Run as a program: sh and coreutils, plus curl or GNU wget.
# On standard input, separated by lines `--`: curl's configuration, wget's, the URL, the body in base64.
# Says the body, the headers of every answer, and a last line: sizes of both, redirections, the file's fate, the URL.
# shellcheck shell=sh
# shellcheck disable=SC2154  # the variables are set ahead of this text
#   source     a file of the host that is the body, or nothing
#   dest       where an answer is kept, or nothing
#   mode       its mode in octal digits, or nothing
#   statuses   the codes that mean success, with blanks around each
#   since      "yes" when dest may stay as it is if it is newer than what the server has
#   algorithm  how the answer's sum is made (md5, sha1, sha256, …), or nothing; and either
#   digest     what it must be, in small letters, or
#   sums       the URL of a list of sums, and
#   named      the name that the file has there
#   quiet      "yes" when the body is not told, only kept
#   simple     "yes" when nothing but the URL matters, so that busybox can ask

work=$(mktemp -d "${TMPDIR:-/tmp}/provision-uri.XXXXXX") || exit 125
trap 'rm -rf -- "$work"' EXIT
trap 'exit 143' HUP INT TERM
chmod 700 "$work"

NL='
'
section() { # FILE
  while IFS= read -r line && [ "$line" != -- ]; do
    while :; do
      case $line in *%BODY%*) line=${line%%%BODY%*}$body${line#*%BODY%} ;; *) break ;; esac
    done
    printf '%s\n' "$line"
  done >"$1"
}

body=${source:-$work/body}
section "$work/curl"
section "$work/wget"
section "$work/url"
read -r url <"$work/url"
[ -n "$source" ] || base64 -d >"$work/body" || exit 125
: >"$work/answer"
: >"$work/heads"

is_gnu_wget() { case $(wget --version 2>/dev/null) in 'GNU Wget'*) return 0 ;; esac; return 1; }

# wget tells the headers in its log, two blanks ahead: sets code, jumps and address by them.
from_log() {
  code='' jumps=0 address=$url
  while IFS= read -r line; do
    case $line in
      '  HTTP/'*) code=${line#*' HTTP/'*' '}; code=${code%% *} ;;
      '  '[Ll]ocation:*) address=${line#*: }; jumps=$((jumps + 1)) ;;
    esac
    case $line in '  '[A-Za-z]*) printf '%s\n' "${line#  }" ;; esac
  done <"$work/log" >"$work/heads"
  told="$jumps $address"
}

sum_of() { got=$("${algorithm}sum" <"$1") && got=${got%% *}; }

# The sum of the file in a list as `sha256sum` writes it, or the only word of the list.
listed_sum() { # FILE
  while read -r sum name; do
    name=${name#\*}
    case ${name##*/} in "$named") digest=$sum; return ;; '') [ -n "$digest" ] || digest=$sum ;; esac
  done <"$1"
}

get_sums() {
  if command -v curl >/dev/null 2>&1; then
    while IFS= read -r line; do
      case $line in 'url = '*) printf 'url = "%s"\n' "$sums" ;; *) printf '%s\n' "$line" ;; esac
    done <"$work/curl" >"$work/curl.sums"
    curl -q -sS -f -K "$work/curl.sums" -o "$work/sums"
  else
    printf '%s\n' "$sums" >"$work/url.sums"
    WGETRC=$work/wget wget -q -O "$work/sums" -i "$work/url.sums"
  fi || { echo "the list of sums $sums could not be had" >&2; exit 22; }
  listed_sum "$work/sums"
  [ -n "$digest" ] || { echo "$named is not in the list of sums $sums" >&2; exit 22; }
}

if [ -n "$algorithm" ]; then
  [ -z "$sums" ] || get_sums
  # What is there already and right is not asked for again.
  if [ -f "$dest" ] && sum_of "$dest" && [ "$got" = "$digest" ]; then
    [ -z "$mode" ] || [ "$(stat -c %a -- "$dest")" = "$mode" ] || { chmod "$mode" "$dest" && kept=kept; }
    printf '%s0 0 %s 0 %s\n' "$NL" "${kept:-same}" "$url"
    exit 0
  fi
fi

if command -v curl >/dev/null 2>&1; then
  [ -z "$since" ] || printf 'time-cond = "%s"\n' "$dest" >>"$work/curl"
  told=$(curl -q -sS -K "$work/curl" -D "$work/heads" -o "$work/answer" -w '%{http_code} %{num_redirects} %{url_effective}')
  status=$? code=${told%% *} told=${told#* }
elif is_gnu_wget; then
  printf 'content_on_error = on\nserver_response = on\nverbose = on\n' >>"$work/wget"
  # The URL in a file: it may hold a secret, and a command line is seen by everybody.
  WGETRC=$work/wget LC_ALL=C wget -O "$work/answer" -i "$work/url" >"$work/log" 2>&1
  status=$?
  [ "$status" != 8 ] || status=0 # an answer, though not one of success
  from_log
  [ "$status" = 0 ] || tail -n 3 "$work/log" >&2
elif command -v wget >/dev/null 2>&1 && [ -n "$simple" ]; then
  wget -S -O "$work/answer" "$url" >"$work/log" 2>&1
  status=$?
  from_log
  [ -z "$code" ] || status=0
  [ "$status" = 0 ] || tail -n 1 "$work/log" >&2
else
  echo 'neither curl nor GNU wget is on this host: it cannot make this request' >&2
  exit 69
fi

same() { a=$(sha256sum <"$1") b=$(sha256sum <"$2"); [ "$a" = "$b" ]; }

keep() {
  if [ -f "$dest" ] && same "$work/answer" "$dest"; then
    fate=same
  else
    temp=$(mktemp "$dest.XXXXXX") || { fate=unwritten; return; }
    if cat "$work/answer" >"$temp" && chmod "${mode:-$created}" "$temp" && mv -f -- "$temp" "$dest"; then
      fate=kept
    else
      rm -f -- "$temp"
      fate=unwritten
    fi
  fi
  if [ "$fate" = same ] && [ -n "$mode" ] && [ "$(stat -c %a -- "$dest")" != "$mode" ]; then
    chmod "$mode" "$dest" && fate=kept
  fi
}

fate=none
if [ -n "$dest" ]; then
  if [ -e "$dest" ]; then created=$(stat -c %a -- "$dest"); else created=$(printf '%o' "$((0666 & ~$(umask)))"); fi
  case $statuses in
    *" $code "*)
      if [ -n "$algorithm" ] && { ! sum_of "$work/answer" || [ "$got" != "$digest" ]; }; then
        echo "The checksum for $url did not match $digest; it was $got." >&2
        status=22 fate=wrong
      else
        keep
      fi
      ;;
  esac
fi
[ -z "$quiet" ] || : >"$work/answer"
cat "$work/answer" "$work/heads"
printf '%s%s %s %s %s\n' "$NL" "$(stat -c %s "$work/answer")" "$(stat -c %s "$work/heads")" "$fate" "$told"
exit "$status"
