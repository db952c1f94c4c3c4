# What scripts that make a tree in the store share. Comes before them.
# shellcheck shell=sh
# shellcheck disable=SC2119,SC2120  # functions get their words by `eval "set -- …"`, not from their callers
# shellcheck disable=SC2154  # prefix, creates and checks (quoted words) and ok are set ahead of this text

# What people see while it runs.
phase() {
  printf '== %s ==\n' "$1"
  [ -z "${PROVISION_JOB-}" ] || printf '%s\n' "$1" >"$PROVISION_JOB/phase"
}

stop() { printf '%s\n' "$1" >&2; exit 1; }

# A tree counts as whole when it has what it should have, and when that works.
prove() {
  eval "set -- $creates"
  for path do
    [ -e "$prefix/$path" ] || stop "it went well so far, but $path is not in $prefix"
  done
  eval "set -- $checks"
  [ $# -eq 0 ] || phase test
  for check do
    (cd -- "$prefix" && PATH=$prefix/bin:$PATH && export PATH && /bin/sh -c "$check") ||
      stop "what was made in $prefix fails this check: $check"
  done
}

# Written last: a tree without it is what an interrupted run left.
seal() { printf %s "$ok" >"$prefix/.ok.new" && mv -f -- "$prefix/.ok.new" "$prefix/.ok" || exit 1; }
