# A text of ours in a file of which a compiled script knows nothing else. Evaluated after states.sh.
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2153,SC2154  # as in standalone.sh

# s_edit PATH MODE FORM TEXT PLACE VALIDATE MARK…: the lines of TEXT at the top or the end of a file that is there, unless
# they are in it. A line that is one of the MARKs without these lines around it is for people (or a look) to judge.
s_edit() {
  s_path=$1 s_form=$2 s_text=$3 s_place=$4 s_valid=$5; shift 5
  s_see "$s_path"
  [ "$P_KIND" = f ] || { s_astray "$s_path"; return 1; }
  p_fill "$s_form" "$s_text" "$P_RUN/edit" || { P_WHY="cannot write in $P_RUN"; return 1; }
  s_block=$(cat -- "$P_RUN/edit"; echo .) s_whole=$P_NL$(cat -- "$s_path"; echo .)
  s_block=${s_block%.} s_whole=${s_whole%.}
  case $s_whole in *"$P_NL") ;; *) s_whole=$s_whole$P_NL ;; esac
  case $s_whole in *"$P_NL$s_block"*) return 0 ;; esac
  for s_line do
    case $s_whole in
      *"$P_NL$s_line$P_NL"*) P_STOP=stale P_WHY="$s_path has \"$s_line\" with other lines than ours. $S_ADVICE"; return 1 ;;
    esac
  done
  case ${s_whole#"$P_NL"} in
    *"$S_RETURN$P_NL"*) P_STOP=stale P_WHY="the lines of $s_path end as on Windows. $S_ADVICE"; return 1 ;;
  esac
  s_touch && s_insert
}

s_insert() {
  p_temp "$s_path" || return 1
  s_glue=
  [ "$s_place" = top ] || [ -z "$(tail -c 1 -- "$s_path")" ] || s_glue=$P_NL
  if [ "$s_place" = top ]; then
    cat -- "$P_RUN/edit" "$s_path"
  else
    cat -- "$s_path" && p_put "$s_glue" && cat -- "$P_RUN/edit"
  fi >"$P_TEMP" 2>>"$P_RUN/err" || { P_WHY="cannot write $s_path"; p_drop; return; }
  p_valid "$s_valid" "$P_TEMP" "$s_path" || return 1
  p_place "$P_TEMP" "$s_path" "$(stat -c %a -- "$s_path")"
}

s_lacks() { # PATH LINE…: no line of the file is one of these
  s_path=$1; shift
  s_whole=$P_NL$(cat -- "$s_path"; echo .)
  s_whole=${s_whole%.}$P_NL
  for s_line do
    case $s_whole in
      *"$P_NL$s_line$P_NL"*) P_STOP=stale P_WHY="$s_path has \"$s_line\", which is to go. $S_ADVICE"; return 1 ;;
    esac
  done
}
