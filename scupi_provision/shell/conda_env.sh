# Makes a conda environment, or changes one. Run as a durable job, after tree.sh: sh, coreutils, and the conda of $conda.
# shellcheck shell=sh
# shellcheck disable=SC2119,SC2120  # functions get their words by `eval "set -- …"`, not from their callers
# shellcheck disable=SC2154  # all of these are set ahead of this text:
#   conda prefix          where conda is, and where the environment is
#   task                  create (what is there without .ok is nobody's), or change
#   specs remove          what to install and what to remove, as quoted words
#   attempts              per source, the options that name its channels, as quoted words
#   explicit upstream     per source, a base of URLs in place of $upstream for the exact list on stdin; empty without one
#   turn                  a file that names the job that is at work on this environment
#   cache stamp ok        where packages are kept meanwhile; what says that this ended well; the text of .ok

least_room=10485760  # KiB on the node's own disk for packages as they come and unpacked: torch with CUDA takes 8 GiB
most_files=100000  # an environment with more is a burden for a shared home, and often above a quota

# --- which conda, and where it keeps packages -------------------------------------------------------------------------

find_conda() {
  for tool in "$conda/bin/conda" "$conda/bin/micromamba"; do
    [ ! -x "$tool" ] || return 0
  done
  stop "there is no conda in $conda: install it first (module conda_install, role conda)"
}

# On a network file system conda's locks may hang and many small files are slow: packages go to the node's own disk,
# when it has room. Elsewhere they stay beside the environment, so that it can share their files by hard links.
choose_cache() {
  no_lock=
  above=${prefix%/*}
  case $(stat -f -c %T -- "$above" 2>/dev/null) in
    nfs* | lustre | gpfs | fhgfs | beegfs | ceph* | cifs | smb* | afs | acfs | panfs | pvfs2 | orangefs | UNKNOWN*)
      local_cache || { case $("$tool" create --help 2>&1) in *--no-lock*) no_lock=--no-lock ;; esac; } ;;
  esac
  mkdir -p -- "$cache/pkgs" || exit 1
  export CONDA_PKGS_DIRS="$cache/pkgs"
}

local_cache() {
  place=/tmp/provision-$(id -u)
  df -Pk /tmp 2>/dev/null | { read -r _; read -r _ _ _ room _; [ "${room:-0}" -ge "$least_room" ]; } || return 1
  mkdir -m 700 -- "$place" 2>/dev/null
  # Somebody else's directory of that name is not used: they could put packages into it.
  [ -d "$place" ] && ! [ -L "$place" ] && [ "$(stat -c %u:%a -- "$place")" = "$(id -u):700" ] || return 1
  cache=$place/${cache##*/}
}

# A run that lost its controller goes on by itself. When the playbook asks for something else meanwhile, two would be at
# work on one environment: the later one waits, and then changes what the earlier one has made.
wait_for_other() {
  while is_other_at_work; do
    phase 'waiting for an earlier run on this environment'
    sleep 2
  done
  if [ "$task" = create ] && [ -e "$prefix/.ok" ]; then task=change; fi
  printf '%s\n' "$PROVISION_JOB" >"$turn" || exit 1
}

is_other_at_work() {
  [ -r "$turn" ] && read -r other <"$turn" && [ "$other" != "$PROVISION_JOB" ] || return 1
  [ -r "$other/pid" ] && ! [ -e "$other/rc" ] && read -r pid boot node <"$other/pid" || return 1
  [ "$node" = "$(uname -n)" ] && [ "$boot" = "$(cat /proc/sys/kernel/random/boot_id 2>/dev/null || uname -r)" ] &&
    kill -0 "$pid" 2>/dev/null
}

# --- the state, from names alone --------------------------------------------------------------------------------------

installed() {
  for record in "$prefix"/conda-meta/*.json; do
    [ ! -e "$record" ] || { record=${record##*/}; printf '%s\n' "${record%.json}"; }
  done
}

# --- changing ---------------------------------------------------------------------------------------------------------

try() { # OPTION…: one source
  if [ "$task" = create ]; then rm -rf -- "$prefix" || exit 1; fi
  # shellcheck disable=SC2086  # an option, or nothing
  "$tool" "$verb" -y -q -p "$prefix" $no_lock "$@"
}

rebased() { # BASE: the exact list with another base
  while IFS= read -r line; do
    case $line in "$upstream"/*) line=$1${line#"$upstream"} ;; esac
    printf '%s\n' "$line"
  done <"$cache/asked.txt"
}

install_exactly() {
  cat >"$cache/asked.txt"
  eval "set -- $explicit"
  for base do
    rebased "$base" >"$cache/explicit.txt"
    if try --file "$cache/explicit.txt"; then return; fi
    echo "that did not work with $base" >&2
  done
  stop 'none of the sources could give the packages of the list'
}

install_specs() {
  eval "set -- $attempts"
  for options do
    if ( eval "set -- $options $specs"; try --override-channels "$@" ); then return; fi
    echo "that did not work with $options" >&2
  done
  stop 'none of the sources could give what is asked for (see above)'
}

remove_named() {
  eval "set -- $remove"
  # shellcheck disable=SC2086  # an option, or nothing
  "$tool" remove -y -q -p "$prefix" $no_lock "$@" || stop 'conda could not remove packages'
}

# --- telling ----------------------------------------------------------------------------------------------------------

tell_new() { # SIGN FILE OTHER: the lines of FILE that are not in OTHER
  others="
$(cat -- "$3")
"
  while IFS= read -r line; do
    case $others in *"
$line
"*) ;; *) printf '%s %s\n' "$1" "$line" ;; esac
  done <"$2"
}

count_files() {
  files=$(find "$prefix" | wc -l)
  echo "files: $((files))"
  [ "$files" -le "$most_files" ] ||
    echo "warning: $((files)) files in $prefix; quotas often allow fewer, and a shared home is slow with them"
}

phase check
find_conda
mkdir -p -- "${prefix%/*}" "${turn%/*}" || exit 1
[ -z "${PROVISION_JOB-}" ] || wait_for_other
[ "$task" != create ] || rm -rf -- "$prefix" || exit 1
choose_cache
export NO_COLOR=1 CONDA_NUMBER_CHANNEL_NOTICES=0 CONDA_REGISTER_ENVS=false MAMBA_ROOT_PREFIX="$conda"
case $task in create) verb=create ;; *) verb=install ;; esac
installed | sort >"$cache/before.txt"
[ -z "$remove" ] || { phase remove; remove_named; }
if [ -n "$explicit" ]; then
  phase install
  install_exactly
elif [ -n "$specs" ]; then
  phase install
  install_specs
fi
phase count
installed | sort >"$cache/after.txt"
mkdir -p -- "$prefix/.provision" && cp -- "$cache/after.txt" "$prefix/.provision/packages" || exit 1
count_files
tell_new - "$cache/before.txt" "$cache/after.txt"
tell_new + "$cache/after.txt" "$cache/before.txt"
rm -rf -- "$cache"
mkdir -p -- "${stamp%/*}" && : >"$stamp" || exit 1
[ "$task" != create ] || seal
rm -f -- "$turn"
phase 'done'
