# Runs a script that comes on standard input, under its own name, and removes it.
# shellcheck shell=sh
# shellcheck disable=SC2154  # the variables are set ahead of this text
#   name        the file's name
#   arguments   what follows it on the command line: shell words, as the playbook has them
#   interpreter what runs it, or nothing: then it says so itself
#   where       the folder in which it runs, or nothing

folder=$(mktemp -d "${TMPDIR:-/tmp}/provision-script.XXXXXX") || exit 125
trap 'rm -rf -- "$folder"' EXIT
trap 'exit 143' HUP INT TERM
file=$folder/$name
cat >"$file" || exit 125
chmod u+x -- "$file" || exit 125
[ -z "$where" ] || cd -- "$where" || exit 125
# In a shell of its own: the words are the playbook's, with everything that a shell makes of them.
/bin/sh -c "$interpreter \"\$0\" $arguments" "$file" </dev/null
