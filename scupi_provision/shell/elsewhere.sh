# Another node, reached by ssh from where a compiled script runs.
# shellcheck shell=sh
# shellcheck disable=SC2154  # P_TEXT is the whole script

# s_send ROLE NAME SSH-ARGUMENTS…: this very script on another node, in another role. It travels on standard input and is
# compared with its hash before it runs. Nothing is asked for: where ssh would ask, it fails.
s_send() {
  s_role=$1; shift 2
  s_hash=$(p_put "$P_TEXT" | sha256sum)
  # shellcheck disable=SC2016  # expanded on the other node
  s_there='T=$(cat; echo .); T=${T%.}; s=$(printf %s "$T" | sha256sum); [ "${s%% *}" = '${s_hash%% *}' ] || exit 97; P_TEXT=$T; eval "$T"'
  p_put "$P_TEXT" | ssh -o BatchMode=yes -o ConnectTimeout=20 "$@" "exec env S_ROLE=$s_role /bin/sh -c '$s_there'"
}
