# What a plan may ask about a host beside what is at a path: details, sums of other kinds, trees, archives. Nothing here
# changes anything. Evaluated after runtime.sh.
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2153,SC2154  # P_… are set by runtime.sh and by the program
# shellcheck disable=SC2329  # the functions i_… are called by name

# A line of stat for each file. The fractions of times, where stat tells them.
I_LINE='%f %u %g %U %G %i %d %h %b %o %s %t %T'
case $(stat -c %.9Y / 2>/dev/null) in
  '' | *[!0-9.]*) I_LINE="$I_LINE %X %Y %Z" ;;
  *) I_LINE="$I_LINE %.9X %.9Y %.9Z" ;;
esac

# p_inspect WHAT WORDS…: an empty answer where the host cannot tell
p_inspect() {
  p_what=$1; shift
  p_emit contents
  "i_$p_what" "$@" 2>/dev/null </dev/null | base64 >&3
  p_emit contents-end
}

# p_expect_told DIGEST WHAT WORDS…: whether the answer is what the plan was told
p_expect_told() {
  p_sum=$1 p_what=$2; shift 2
  p_got=$("i_$p_what" "$@" 2>/dev/null </dev/null | sha256sum)
  [ "${p_got%% *}" = "$p_sum" ] || { P_STOP=stale P_WHY="something of $1 is not as the plan saw it"; return 1; }
}

# i_stat PATH: its line, what this account may do with it
i_stat() {
  stat -c "$I_LINE" -- "$1" || return
  i_may=-
  [ ! -r "$1" ] || i_may=${i_may}r
  [ ! -w "$1" ] || i_may=${i_may}w
  [ ! -x "$1" ] || i_may=${i_may}x
  echo "$i_may"
}

# i_times PATH: when it was read and written, as clocks show it where the host is
i_times() { stat -c '%x' -- "$1" && stat -c '%y' -- "$1"; }

# i_kind PATH: the kind of its content, as file(1) tells it; its flags, as lsattr(1) does
i_kind() {
  echo "mime $(PATH=$P_PATH:$PATH file -b --mime-type --mime-encoding -- "$1")"
  echo "flags $(PATH=$P_PATH:$PATH lsattr -vd -- "$1")"
}

# i_sum ALGORITHM PATH
i_sum() { [ -f "$2" ] && [ -r "$2" ] && "${1}sum" <"$2" | cut -d ' ' -f 1; }

# i_tree LINKS DEPTH FOLDER: a line for everything below the folder; then the names in the same order, each with a NUL.
# LINKS is L where links to folders are gone into, P where not; an empty DEPTH has no limit.
i_tree() {
  i_links=$1 i_depth=$2 i_root=$3
  [ -d "$i_root" ] || return
  set -- "-$i_links" "$i_root/." -mindepth 1
  [ -z "$i_depth" ] || set -- "$@" -maxdepth "$i_depth"
  find "$@" -exec stat -c "$I_LINE" -- {} +
  echo names
  find "$@" -exec printf '%s\0' {} +
}

# i_members ARCHIVE FORMAT: the names in it, a line each
i_members() {
  case $2 in
    zip) PATH=$P_PATH:$PATH unzip -Z1 "$1" ;;
    tar) tar -tf "$1" ;;
    *) "$2" -dc <"$1" | tar -tf - ;;
  esac
}

# i_unpacked_sum PROGRAM ARCHIVE: of the one file that is compressed in it
i_unpacked_sum() { "$1" -dc <"$2" | sha256sum | cut -d ' ' -f 1; }

# i_differs ARCHIVE FOLDER FORMAT OPTIONS…: what tar finds other in the folder than in the archive; `same` where it finds nothing
i_differs() {
  i_archive=$1 i_folder=$2 i_format=$3; shift 3
  case $(tar --version 2>/dev/null) in *'GNU tar'*) ;; *) return ;; esac
  if [ "$i_format" = tar ]; then
    tar -d -f "$i_archive" -C "$i_folder" "$@" 2>&1 && echo same
  else
    "$i_format" -dc <"$i_archive" | tar -d -f - -C "$i_folder" "$@" 2>&1 && echo same
  fi
}
