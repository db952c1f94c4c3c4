# Jupyter servers on this node: what an environment has, and one server for each environment, behind a socket that only
# its owner can open. Evaluated after the runtime; what there is to say goes out as facts.
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2088,SC2153,SC2154  # `~/` is compared as text; P_… and p_… are set by the runtime and used there
#
# ~/.provision/jobs/KEY   the durable job, as of every long program, and what a server is known by:
#                         `environment`, `place` (its folder on this node), `since`
# PLACE, mode 0700        s (the socket), token, runtime/ (Jupyter's own), share/ (the kernel), relay.py

p_jupyter_places='miniforge3/envs miniconda3/envs micromamba/envs anaconda3/envs .conda/envs envs'

# --- what there is ------------------------------------------------------------------------------------------------

p_jupyter_has() { [ -x "$1/bin/python" ] && [ -d "$1/lib" ]; }

# p_jupyter_look NAME: NAME is an environment's, or a path. Facts: every environment, the one that is meant, its packages.
p_jupyter_look() {
  p_found=
  for p_folder in $p_jupyter_places; do
    for p_path in "$HOME/$p_folder"/*; do
      p_jupyter_has "$p_path" || continue
      p_fact environment "$p_path"
      if [ -z "$p_found" ] && [ "${p_path##*/}" = "$1" ]; then p_found=$p_path; fi
    done
  done
  case $1 in
    "~/"*) p_path=$HOME/${1#??} ;;
    *) p_path=$1 ;;
  esac
  case $p_path in /*) if p_jupyter_has "${p_path%/}"; then p_found=${p_path%/}; fi ;; esac
  [ -n "$p_found" ] || return 0
  p_fact chosen "$p_found"
  for p_name in jupyter_server ipykernel jupyterlab notebook; do
    for p_path in "$p_found"/lib/python3*/site-packages/"$p_name"-*.dist-info; do
      [ -d "$p_path" ] || continue
      p_path=${p_path##*/"$p_name"-}
      p_fact "package_$p_name" "${p_path%.dist-info}"
    done
  done
  p_path=$HOME/.provision/bin/gpu-python
  # One that an older version made starts its own environment's python and no other.
  if [ -x "$p_path" ]; then
    case $(cat -- "$p_path") in *PROVISION_PYTHON*) p_fact chooser "$p_path" ;; esac
  fi
}

# --- one server ---------------------------------------------------------------------------------------------------

p_jupyter_word() { # FILE: its only line
  p_line=
  [ -r "$1" ] && IFS= read -r p_line <"$1"
  p_put "$p_line"
}

# p_jupyter_state KEY: facts about one server, and p_state.
p_jupyter_state() {
  p_dir=$P_ROOT/jobs/$1
  p_place=$(p_jupyter_word "$p_dir/place")
  p_fact server "$1"
  p_fact path "$(p_jupyter_word "$p_dir/environment")"
  p_fact since "$(p_jupyter_word "$p_dir/since")"
  p_pid='' p_boot='' p_node=''
  [ -r "$p_dir/pid" ] && read -r p_pid p_boot p_node <"$p_dir/pid"
  if ! [ -d "$p_dir" ]; then p_state=none
  elif [ -r "$p_dir/rc" ]; then p_state=ended
  elif [ -n "$p_node" ] && [ "$p_node" != "$P_NODE" ]; then p_state=elsewhere
  elif ! p_alive "$p_dir"; then p_state=ended
  elif ! [ -d "$p_place" ]; then p_state=lost
  else p_jupyter_greets; fi
  p_fact state "$p_state"
  p_fact pid "$p_pid"
  p_fact node "$p_node"
  p_fact place "$p_place"
  [ "$p_state" = running ] || p_jupyter_said
}

# The file with which the server tells of itself is written when it listens.
p_jupyter_greets() {
  p_state=starting
  set -- "$p_place"/runtime/jpserver-*.json
  [ -r "$1" ] || return 0
  p_fact info "$(tr -d '\n' <"$1")"
  if [ -S "$p_place/s" ]; then p_state=running; else p_state=lost; fi
  set -- "$p_place"/runtime/kernel-*.json
  if [ -e "$1" ]; then p_fact kernels "$#"; fi
}

p_jupyter_said() {
  [ -r "$p_dir/err" ] || return 0
  p_said=$(tail -n 12 -- "$p_dir/err" 2>/dev/null)
  while IFS= read -r p_line; do p_fact said "$p_line"; done <<END
$p_said
END
}

# p_jupyter_list PREFIX: every server whose key begins so.
p_jupyter_list() {
  for p_each in "$P_ROOT"/jobs/"$1"*; do
    if [ -r "$p_each/environment" ]; then p_jupyter_state "${p_each##*/}"; fi
  done
}

# --- one at a time ------------------------------------------------------------------------------------------------

# Whoever starts or stops a server holds a lock of that server's: an apply at work in this home is no reason to wait.
p_jupyter_lock() { # KEY
  p_claim=$P_ROOT/jobs/.claim-$P_RUNID p_held=$P_ROOT/jobs/.lock-$1
  p_private "$P_ROOT/jobs" || return 1
  ( umask 077; echo "$P_NODE $P_BOOT $$" >"$p_claim" ) 2>/dev/null || { P_WHY="cannot write in $P_ROOT/jobs"; return 1; }
  p_tries=0
  until ln -- "$p_claim" "$p_held" 2>/dev/null; do
    p_tries=$((p_tries + 1))
    if [ "$p_tries" -gt 60 ]; then rm -f -- "$p_claim"; P_WHY="another start holds $p_held"; return 1; fi
    if p_is_dead "$p_held"; then mv -f -- "$p_held" "$p_claim.dead" 2>/dev/null; rm -f -- "$p_claim.dead"; else p_doze 1; fi
  done
}

p_jupyter_unlock() { rm -f -- "$p_held" "$p_claim"; }

# --- starting -----------------------------------------------------------------------------------------------------

# A folder on a disk of this node: a socket in the shared home would be one name on two nodes, and NFS has no sockets.
p_jupyter_place() {
  for p_base in /tmp /var/tmp /dev/shm; do
    case $(stat -f -c %T -- "$p_base" 2>/dev/null) in '' | nfs* | lustre | gpfs | beegfs | fuse* | afs | cifs | smb* | ceph) continue ;; esac
    p_place=$(mktemp -d "$p_base/provision-XXXXXX" 2>/dev/null) && return 0
  done
  P_WHY='neither /tmp, /var/tmp nor /dev/shm takes a new folder'
  return 1
}

# p_jupyter_start KEY ENVIRONMENT TOKEN KERNEL RELAY
# The token reaches Jupyter in a file: command lines and environments are for others to see.
p_jupyter_start() {
  p_open_run
  P_WHY=
  if [ -n "$P_STOP" ]; then P_WHY="cannot write in $P_ROOT"; else p_jupyter_lock "$1" && { p_jupyter_begin "$@"; p_jupyter_unlock; }; fi
  p_fact problem "$P_WHY"
  p_close_run
}

p_jupyter_begin() {
  p_dir=$P_ROOT/jobs/$1
  if ! [ -r "$p_dir/rc" ] && p_alive "$p_dir"; then p_fact joined yes; return 0; fi
  p_jupyter_clear "$p_dir"
  p_jupyter_place || return 1
  ( umask 077
    mkdir -- "$p_place/runtime" && mkdir -p -- "$p_place/share/kernels/python3" "$p_dir" &&
      p_put "$3" >"$p_place/token" && p_put "$4" >"$p_place/share/kernels/python3/kernel.json" &&
      p_put "$5" >"$p_place/relay.py" && echo "$p_place" >"$p_dir/place" && echo "$2" >"$p_dir/environment" &&
      date -u +%Y-%m-%dT%H:%M:%SZ >"$p_dir/since" ) 2>/dev/null || { P_WHY="cannot write in $p_place and $p_dir"; return 1; }
  # By a shell that ends at once: as a child of this one, which waits for nobody, a dead server would seem to live.
  ( p_start "$(p_jupyter_script "$2")" ) || { P_WHY="cannot write in $p_dir"; return 1; }
  # It writes its pid when it comes to run; a look before that would take it for one that has ended.
  p_tries=0
  until [ -s "$p_dir/pid" ] || [ "$p_tries" -ge 100 ]; do
    p_tries=$((p_tries + 1))
    p_doze 0.1 || p_doze 1
  done
}

p_jupyter_script() { # ENVIRONMENT
  p_q=$(p_quote "$1")
  # Which GPUs a login here has is what the kernels shall have.
  for p_name in CUDA_VISIBLE_DEVICES SLURM_JOB_ID; do
    if eval "[ -n \"\${$p_name+set}\" ]"; then eval "p_put \"export $p_name=\$(p_quote \"\$$p_name\")\$P_NL\""; fi
  done
  p_root=
  [ "$(id -u)" -ne 0 ] || p_root=--allow-root
  cat <<END
cd || exit 125
export PATH=$p_q/bin:"\$PATH"
export JUPYTER_RUNTIME_DIR=$p_place/runtime JUPYTER_PATH=$p_place/share JUPYTER_TOKEN_FILE=$p_place/token
$p_q/bin/python -m jupyter_server --ServerApp.sock=$p_place/s --ServerApp.sock_mode=0600 \\
  --KernelManager.transport=ipc --ServerApp.open_browser=False $p_root
p_ended=\$?
rm -rf -- $p_place
exit "\$p_ended"
END
}

# --- stopping -----------------------------------------------------------------------------------------------------

# p_jupyter_stop KEY: Jupyter ends its kernels on TERM; what is left after ten seconds is ended for it.
p_jupyter_stop() {
  p_open_run
  P_WHY=
  if [ -n "$P_STOP" ]; then P_WHY="cannot write in $P_ROOT"; else p_jupyter_lock "$1" && { p_jupyter_halt "$1"; p_jupyter_unlock; }; fi
  p_fact problem "$P_WHY"
  p_close_run
}

p_jupyter_halt() { # KEY
  p_dir=$P_ROOT/jobs/$1
  if ! [ -r "$p_dir/rc" ] && p_alive "$p_dir"; then
    p_group=$p_pid p_naps=0
    p_end_tree TERM "$p_group"
    while kill -0 "${P_SETSID:+-}$p_group" 2>/dev/null; do
      p_naps=$((p_naps + 1))
      if [ "$p_naps" -eq 10 ]; then p_end_tree KILL "$p_group"; fi
      [ "$p_naps" -lt 15 ] || break
      p_doze 1
    done
  fi
  p_jupyter_clear "$p_dir"
}

# What a server has left on this node: its folder, programs that it started, its record.
p_jupyter_clear() { # DIRECTORY
  p_place=$(p_jupyter_word "$1/place")
  case $p_place in
    */provision-??????)
      if [ -d "$p_place" ] && [ "$(stat -c %u -- "$p_place")" = "$(id -u)" ]; then
        p_jupyter_orphans "$p_place"
        rm -rf -- "$p_place"
      fi ;;
  esac
  rm -rf -- "$1"
}

# Kernels are in sessions of their own; each has its connection file on its command line.
p_jupyter_orphans() { # PLACE
  for p_each in /proc/[0-9]*; do
    [ -r "$p_each/environ" ] || continue # somebody else's
    case $(tr '\0' ' ' <"$p_each/cmdline" 2>/dev/null) in
      *"$1/runtime/"*) kill -KILL "${p_each#/proc/}" 2>/dev/null ;;
    esac
  done
}
