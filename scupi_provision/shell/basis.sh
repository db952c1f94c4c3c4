# What a compiled script was made for, compared with what is there before anything is changed. Evaluated after states.sh.
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2153,SC2154  # as in standalone.sh

s_told() { # NAME VALUE: a fact, with one blank between its words
  set -f
  # shellcheck disable=SC2086  # parted on purpose
  case $1 in
    tools) s_name=$1; set -- $2; s_value=; for s_one do s_value="$s_value ${s_one%%=*}"; done; set -- "$s_name" "${s_value# }" ;;
    *) s_name=$1; set -- $2; set -- "$s_name" "$*" ;;
  esac
  set +f
  s_facts="$s_facts$1 $2$P_NL"
}

# s_made_for NAME VALUE [part]: whether the fact is so (or has VALUE in it); what is not told is empty.
s_made_for() {
  case $s_facts in *"$P_NL$1 "*) s_value=${s_facts#*"$P_NL$1 "}; s_value=${s_value%%"$P_NL"*} ;; *) s_value= ;; esac
  case $3$s_value in "$2") return ;; part*"$2"*) return ;; esac
  s_print "stopped, and nothing was changed: this script was made for a host with $1 = ${2:-nothing}; here it is ${s_value:-nothing}"
  s_print "$S_ADVICE"
  exit 2
}

s_home() { # HOME UMASK
  if [ "$HOME" != "$1" ]; then
    s_print "stopped, and nothing was changed: this script was made for an account whose home is $1; here it is $HOME"
    s_print "$S_ADVICE"
    exit 2
  fi
  [ "$((0$P_UMASK))" -eq "$((0$2))" ] && return
  s_print "stopped, and nothing was changed: this script was made for the umask $2; here it is $P_UMASK (say: umask $2)"
  exit 2
}

s_theirs() { # PATH BIT: which of the variants of the script it is
  p_kind "$1"
  case $P_KIND in
    -) return ;;
    f) if [ -r "$1" ]; then S_VARIANT=$((S_VARIANT + $2)); return; fi ;;
  esac
  s_astray "$1"
  s_refuse
}

s_refuse() { s_print "stopped, and nothing was changed: $P_WHY"; exit 2; }
