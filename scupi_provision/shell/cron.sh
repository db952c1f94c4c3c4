# Changes the account's own crontab. Run as a program: sh and coreutils, plus crontab.
# shellcheck shell=sh
# shellcheck disable=SC2154  # the variables are set ahead of this text
#   kind      job (marked by a comment ahead of it) or env
#   name      the job's name, or the variable's
#   line      how it shall read, or nothing: it shall not be there
#   after before  the variable next to which a new one goes, or nothing
#   backup    "yes" to keep what was there
# Says `changed` or `same`, and the copy's path.
command -v crontab >/dev/null 2>&1 || { echo 'there is no crontab on this host (or it is not for users)' >&2; exit 69; }
work=$(mktemp -d "${TMPDIR:-/tmp}/provision-cron.XXXXXX") || exit 125
trap 'rm -rf -- "$work"' EXIT
trap 'exit 143' HUP INT TERM
# Without a crontab it ends badly, with words that differ from one system to the next: there is nothing then.
crontab -l >"$work/old" 2>/dev/null || : >"$work/old"

edit_job() { # the comment, and the line after it
  mark="#Ansible: $name" done=''
  while IFS= read -r text || [ -n "$text" ]; do
    if [ "$text" = "$mark" ]; then
      IFS= read -r text || :
      [ -z "$line" ] || [ -n "$done" ] || printf '%s\n%s\n' "$mark" "$line"
      done=yes
    else
      printf '%s\n' "$text"
    fi
  done <"$work/old"
  [ -z "$line" ] || [ -n "$done" ] || printf '%s\n%s\n' "$mark" "$line"
}

has_variable() {
  while IFS= read -r text || [ -n "$text" ]; do
    case $text in "$1="* | "$1 ="*) return 0 ;; esac
  done <"$work/old"
  return 1
}

edit_variable() {
  there=''
  if has_variable "$name"; then there=yes; fi
  # A new one stands at the top, where it holds for all jobs.
  [ -n "$there" ] || [ -z "$line" ] || [ -n "$after$before" ] || printf '%s\n' "$line"
  while IFS= read -r text || [ -n "$text" ]; do
    case $text in
      "$name="* | "$name ="*) [ -z "$line" ] || printf '%s\n' "$line"; continue ;;
    esac
    if [ -z "$there" ] && [ -n "$line" ] && [ -n "$before" ]; then
      case $text in "$before="* | "$before ="*) printf '%s\n' "$line" ;; esac
    fi
    printf '%s\n' "$text"
    if [ -z "$there" ] && [ -n "$line" ] && [ -n "$after" ]; then
      case $text in "$after="* | "$after ="*) printf '%s\n' "$line" ;; esac
    fi
  done <"$work/old"
}

if [ "$kind" = env ]; then
  if [ -n "$after$before" ] && ! has_variable "$after$before"; then
    echo "Variable named '$after$before' not found." >&2
    exit 1
  fi
  edit_variable >"$work/new"
else
  edit_job >"$work/new"
fi
a=$(sha256sum <"$work/old") b=$(sha256sum <"$work/new")
if [ "$a" = "$b" ]; then echo same; exit 0; fi
if [ -n "$backup" ]; then
  copy=$(mktemp "${TMPDIR:-/tmp}/crontab.XXXXXX") && cat "$work/old" >"$copy" || exit 1
fi
if [ -s "$work/new" ]; then crontab "$work/new" >&2; else crontab -r >&2; fi || exit 1
echo changed
[ -z "$backup" ] || printf '%s\n' "$copy"
