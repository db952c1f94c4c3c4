# What `provision doctor` and `provision vscode` look at on a node, told as facts; read with sh and coreutils alone.
# Evaluated after runtime.sh, lock.sh and facts.sh. Nothing is changed but for the mark that p_mark makes and p_unmark removes.
# shellcheck shell=sh
# shellcheck disable=SC2154  # P_PATH, P_NODE, P_ROOT are set by the bootstrap and by the runtime

P_QUOTA_LIMIT=5 P_NAME_LIMIT=10

p_has() { PATH=$P_PATH command -v "$1" >/dev/null 2>&1; }

p_clock() { p_fact clock "$(date +%s)"; }

# Permissions and owners, as sshd looks at them before it believes authorized_keys.
p_modes() {
  p_fact mode_home "$(stat -c '%a %u' -- "$HOME" 2>/dev/null)"
  p_fact mode_ssh "$(stat -c '%a %u' -- "$HOME/.ssh" 2>/dev/null)"
  p_fact mode_keys "$(stat -c '%a %u' -- "$HOME/.ssh/authorized_keys" 2>/dev/null)"
}

# p_authorized KEY…: for each public key, in base64, whether authorized_keys has it
p_authorized() {
  p_known=$(cat -- "$HOME/.ssh/authorized_keys" 2>/dev/null) || return
  p_count=0
  for p_key; do
    case $p_known in *"$p_key"*) p_fact "authorized_$p_count" yes ;; *) p_fact "authorized_$p_count" no ;; esac
    p_count=$((p_count + 1))
  done
}

# The type comes last: of one that it does not know, stat says `UNKNOWN (0x…)`.
p_space() {
  p_fact space "$(stat -f -c '%S %b %a %c %d %T' -- "$HOME" 2>/dev/null)"
  p_quota_of quota quota -w
  if p_has lfs; then p_quota_of lfs_quota lfs quota -q -u "$(id -un)" "$HOME"; fi
}

p_quota_of() { # NAME COMMAND…: its last line, which has the numbers
  p_name=$1; shift
  p_has "$1" || return
  p_fact "$p_name" "$(p_lines "$P_QUOTA_LIMIT" '' "$@" | tail -n 1)"
}

# p_resolve NAME…: the address of each here, or `-`
p_resolve() {
  p_has getent || return
  p_count=0
  for p_name; do
    p_value=$(p_lines "$P_NAME_LIMIT" '' getent hosts "$p_name" | head -n 1)
    p_value=${p_value%%[ 	]*}
    p_fact "resolved_$p_count" "${p_value:--}"
    p_count=$((p_count + 1))
  done
}

# p_reach URL…: `yes`, `no`, `tls` (it answers, but not to be trusted), or nothing where no program can ask
p_reach() {
  p_said=$(
    p_count=0
    for p_url; do
      { p_value=$(p_answer "$p_url") && echo "$p_count $p_value"; } 2>/dev/null &
      p_count=$((p_count + 1))
    done
    wait
  )
  while read -r p_count p_value; do [ -z "$p_value" ] || p_fact "reach_$p_count" "$p_value"; done <<END
$p_said
END
}

p_answer() { # URL
  if p_has curl; then
    PATH=$P_PATH curl -sI -o /dev/null --connect-timeout 3 -m 5 "$1" </dev/null >/dev/null 2>&1 3>&- 4<&-
    # curl(1), EXIT CODES: 5, 6 names; 7 connecting; 28 time; 35, 51, 53, 54, 58, 59, 60, 77, 83 what TLS has against it.
    case $? in 5 | 6 | 7 | 28) echo no ;; 35 | 5[13489] | 60 | 77 | 83) echo tls ;; *) echo yes ;; esac
  elif p_has bash && p_has timeout; then
    p_at=${1#*://} p_at=${p_at%%/*}
    case $1 in https:*) p_port=443 ;; *) p_port=80 ;; esac
    case $p_at in *:*) p_port=${p_at##*:} ;; esac
    # shellcheck disable=SC2016  # expanded by bash, which knows /dev/tcp
    if PATH=$P_PATH timeout 3 bash -c ': <"/dev/tcp/$0/$1"' "${p_at%:*}" "$p_port" </dev/null >/dev/null 2>&1 3>&- 4<&-
    then echo yes; else echo no; fi
  fi
}

# The lines of start-up files that set PATH: FILE LINE TEXT. And what bash has against the syntax of ~/.bashrc.
p_startup() {
  p_count=0
  for p_name in .bashrc .bash_profile .bash_login .profile .zshrc; do
    [ -r "$HOME/$p_name" ] && [ -f "$HOME/$p_name" ] || continue
    p_number=0
    while IFS= read -r p_line || [ -n "$p_line" ]; do
      p_number=$((p_number + 1))
      case $p_line in
        *PATH=*) p_fact "path_line_$p_count" "$p_name $p_number $p_line"; p_count=$((p_count + 1)) ;;
      esac
    done <"$HOME/$p_name"
  done
  if p_has bash && [ -r "$HOME/.bashrc" ]; then
    p_fact bashrc_syntax "$(PATH=$P_PATH bash -n "$HOME/.bashrc" 2>&1 </dev/null | head -n 1)"
  fi
}

# What provision itself has here: what new shells read, who is at work, what dead runs have left.
p_own() {
  if [ -L "$P_ROOT/current" ]; then
    p_fact current "$(readlink "$P_ROOT/current")"
    if [ -r "$P_ROOT/current/env.sh" ]; then p_fact current_reads yes; fi
  fi
  if [ -f "$P_ROOT/lock" ]; then
    p_value=alive
    if p_is_dead "$P_ROOT/lock"; then p_value=dead; elif [ "$p_node" != "$P_NODE" ]; then p_value=elsewhere; fi
    p_fact lock "$p_value $(cat -- "$P_ROOT/lock")"
  fi 2>/dev/null
  p_count=0 p_number=0
  for p_old in "$P_ROOT"/runs/*; do
    [ -d "$p_old" ] || continue
    p_count=$((p_count + 1))
    # A run without an owner's note was not begun whole.
    if p_is_dead "$p_old/owner" 2>/dev/null; then p_number=$((p_number + 1)); fi
  done
  p_fact runs "$p_count $p_number"
}

p_around() { # what the session brings along, and which programs of the driver are there
  p_fact agent "${SSH_AUTH_SOCK-}"
  if p_value=$(PATH=$P_PATH command -v nvidia-smi 2>/dev/null); then p_fact nvidia_smi "$p_value"; fi
}

# What a program finds that was built elsewhere: `GLIBCXX_…` names in the C++ library, and the loader of musl.
p_libraries() {
  p_machine=$(uname -m)
  for p_file in "/usr/lib/$p_machine-linux-gnu" /usr/lib64 /lib64 /usr/lib /lib; do
    p_file=$p_file/libstdc++.so.6
    [ -r "$p_file" ] || continue
    p_fact libstdcxx_file "$p_file"
    p_fact libstdcxx "$(tr -cs 'GLIBCX_.0-9' '\n' <"$p_file" | sort -u | while read -r p_value; do
      case $p_value in GLIBCXX_[0-9]*) printf '%s ' "${p_value#GLIBCXX_}" ;; esac
    done)"
    break
  done
  for p_file in /lib/ld-musl-*; do [ ! -e "$p_file" ] || p_fact musl "$p_file"; done
  for p_name in bash tar curl wget; do if p_has "$p_name"; then p_fact "has_$p_name" yes; fi; done
}

# Whether two nodes have one home: a file with a name that nobody has asked for before, made on one, looked for on the other.
p_mark() { # NAME
  p_made=
  [ -d "$P_ROOT" ] || { ( umask 077; mkdir -- "$P_ROOT" ) 2>/dev/null && p_made=made; }
  if ( umask 077; echo "$P_NODE" >"$P_ROOT/$1" ) 2>/dev/null; then p_fact mark "yes${p_made:+ made}"; else p_fact mark no; fi
}

p_find_mark() { # NAME SECONDS: opened and not only looked up, so that NFS asks the server
  p_naps=0
  while :; do
    if read -r _ <"$P_ROOT/$1"; then p_fact marked "$p_naps"; return; fi 2>/dev/null
    [ "$p_naps" -lt "$2" ] || break
    sleep 1
    p_naps=$((p_naps + 1))
  done
  p_fact marked -
}

p_unmark() { # NAME [made]
  rm -f -- "$P_ROOT/$1"
  if [ -n "${2-}" ]; then rmdir -- "$P_ROOT"; fi
} 2>/dev/null
