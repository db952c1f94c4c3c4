# The lockout guard of a compiled script: nobody comes anew over SSH to judge, so the script logs in anew by itself, as
# sshd would start the account's shells. Evaluated after standalone.sh and guard.sh.
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2153,SC2154  # as in standalone.sh; S_MARK, S_LOGIN, S_LOOK are set by the program

# A guard whose script was killed would take its changes back in a while, below this one's feet: it is ended now.
s_orphans() {
  for s_guard in "$P_ROOT"/guard/*; do
    read -r p_node p_boot p_session <"$s_guard/owner" || continue
    if [ "$p_node" != "$P_NODE" ] || { [ "$p_boot" = "$P_BOOT" ] && g_lives "$p_session"; }; then continue; fi
    if read -r p_dog <"$s_guard/dog"; then p_end_tree KILL "$p_dog"; p_doze 1; fi
  done 2>/dev/null
  p_guard_left finish
}

# Before the first change of a step: keeps what the step may change that decides about logins.
s_keep() {
  s_words=$S_KEEP S_KEEP=''
  eval "p_guard $s_words" || return 1
  S_SAW=$s_words S_GUARDED=yes
}

# Whether a fresh login finds shells that are silent and find their tools, within a minute.
s_logs_in() {
  P_STEP=login P_INPUT=t P_INPUT_TEXT=$S_LOOK
  s_ask '' 60 '' 65536 "$S_LOGIN" || return 1
  [ "$S_RC" -ne 124 ] && [ -z "$S_ERR" ] || return 1
  case $S_OUT in
    "$S_MARK-shell"*"$S_MARK-path"*"$S_MARK-own"*"$S_MARK-login"*"$S_MARK-person"*"$S_MARK-end"*) ;;
    *) return 1 ;;
  esac
}

s_verdict() {
  [ -n "$S_GUARDED" ] || return 0
  S_GUARDED=''
  p_guard_rest
  if s_logs_in; then p_guard_judge keep; return; fi
  s_noise="$S_OUT$P_NL$S_ERR"
  p_guard_judge back
  if s_logs_in; then
    p_guard_judge drop
    P_STOP=failed S_CODE=1
    s_print '  FAILED   after these changes a fresh login no longer worked, or was no longer silent; they were taken back'
    p_put "$s_noise" | tail -n 5 | s_indent
  else
    p_guard_judge forth
    s_print '           a fresh login does not work, or is not silent, with and without these changes: they stay'
  fi
}
