# What a plan may ask about a host, read with sh and coreutils only: no interpreter, no package tool is started.
# Evaluated after runtime.sh.
# shellcheck shell=sh
# shellcheck disable=SC2154  # P_PATH, P_LANG, P_UMASK are set by the bootstrap
# Each fact is one line `fact NAME VALUE`; what cannot be told is left out.

p_fact() { case $2 in '' | *"$P_NL"*) ;; *) p_emit fact "$1" "$2" ;; esac; }
p_release() { # KEY: from os-release, whose values may be quoted
  while IFS= read -r p_line; do
    case $p_line in
      "$1="*) p_value=${p_line#*=}; p_value=${p_value#[\"\']}; p_put "${p_value%[\"\']}"; return ;;
    esac
  done </etc/os-release
}

# A driver that hangs keeps whoever waits for it, and not even KILL ends such a program. So its lines come through a pipe
# to a reader that can be ended, and nobody waits for the program itself.
p_lines() { # SECONDS PREFIX COMMAND…: what the command prints, each line with the prefix ahead
  p_most=$1 p_prefix=$2; shift 2
  # shellcheck disable=SC2016  # expanded by the inner shell, which says its number before it becomes the program
  { PATH=$P_PATH /bin/sh -c 'echo "$$"; exec "$@"' sh "$@" </dev/null 2>&1 3>&- 4<&- & } | (
    read -r p_it
    exec 5<&0
    while IFS= read -r p_line; do p_put "$p_prefix$p_line$P_NL"; done <&5 &
    p_reader=$! p_naps=0
    while kill -0 "$p_reader" && p_naps=$((p_naps + 1)) && sleep 1; do
      [ "$p_naps" -lt "$p_most" ] || kill -KILL "$p_it" "$p_reader"
    done >/dev/null 2>&1 3>&- 4<&- 5<&- &
    p_dog=$!
    wait "$p_reader"
    kill -KILL "$p_dog"
  ) 2>/dev/null
}

# nvidia-smi takes from 30 ms to seconds (where GPUs sleep, each is woken), so both questions are asked at the same time.
# The fields that came last stand last: an nvidia-smi that does not know one refuses the whole question.
P_SMI_LIMIT=20
p_smi() { # FIELDS HEADER: lines `gpu …`, and with HEADER `top …`
  p_lines "$P_SMI_LIMIT" 'gpu ' nvidia-smi "--query-gpu=$1" --format=csv,noheader,nounits &
  [ -z "$2" ] || p_lines "$P_SMI_LIMIT" 'top ' nvidia-smi | while IFS= read -r p_line; do
    case $p_line in *CUDA*Version*) p_put "$p_line$P_NL" ;; esac
  done
  wait
}

p_nvidia_smi() {
  p_fields=index,uuid,name,memory.total,driver_version,mig.mode.current,compute_cap
  p_said=$(p_smi "$p_fields" header)
  case $p_said in *'top '*) p_line=${p_said##*'top '}; p_fact nvidia_header "${p_line%%"$P_NL"*}" ;; esac
  for p_last in ,compute_cap ,mig.mode.current; do
    case $p_said in *' is not a valid field'*) p_fields=${p_fields%"$p_last"}; p_said=$(p_smi "$p_fields" '') ;; esac
  done
  p_count=0
  while IFS= read -r p_line; do
    case $p_line in
      'gpu '*', GPU-'*) p_fact "gpu_$p_count" "${p_line#gpu }"; p_count=$((p_count + 1)) ;;
      'gpu '?*) p_fact nvidia_said "${p_line#gpu }" ;;
    esac
  done <<END
$p_said
END
}

# What the kernel's module says of a GPU when nvidia-smi is not there or says nothing.
p_nvidia_module() {
  for p_file in /proc/driver/nvidia/gpus/*/information; do
    [ -r "$p_file" ] || continue
    p_name='' p_uuid=''
    while IFS=: read -r p_key p_value; do
      case $p_key in
        Model) read -r p_name ;;
        'GPU UUID') read -r p_uuid ;;
      esac <<END
$p_value
END
    done <"$p_file"
    p_fact "gpu_$p_count" "$p_count, $p_uuid, $p_name"
    p_count=$((p_count + 1))
  done
}

p_nvidia() {
  for p_file in /proc/driver/nvidia/version /sys/module/nvidia/version; do
    if [ -r "$p_file" ]; then p_fact nvidia_driver_text "$(head -n 1 "$p_file")"; break; fi
  done
  p_count=0
  if PATH=$P_PATH command -v nvidia-smi >/dev/null 2>&1; then p_nvidia_smi; fi
  [ "$p_count" -gt 0 ] || p_nvidia_module
}

# p_defined FILE NAME: the text that a header defines NAME as
p_defined() {
  p_value=$(cat -- "$1" 2>/dev/null) || return
  case $p_value in *"define $2 "*) ;; *) return ;; esac
  p_value=${p_value#*"define $2 "}
  p_value=${p_value#*\"}
  p_put "${p_value%%\"*}"
}

# What a build would find: the compiler, and of some libraries the headers in the compiler's own folders.
p_build() {
  p_tool=$(PATH=$P_PATH command -v cc || PATH=$P_PATH command -v gcc) &&
    p_fact build_cc "$(PATH=$P_PATH "$p_tool" --version 2>/dev/null </dev/null | head -n 1)"
  p_headers=
  for p_header in bzlib.h curl/curl.h expat.h ffi.h lzma.h openssl/ssl.h pcre2.h readline/readline.h sqlite3.h zlib.h; do
    for p_folder in /usr/local/include /usr/include /usr/include/*-linux-gnu; do
      [ -r "$p_folder/$p_header" ] || continue
      p_headers="$p_headers $p_header"
      case $p_header in
        curl/*) p_fact build_libcurl "$(p_defined "$p_folder/curl/curlver.h" LIBCURL_VERSION)" ;;
        openssl/*) p_fact build_openssl "$(p_defined "$p_folder/openssl/opensslv.h" OPENSSL_VERSION_TEXT)" ;;
      esac
      break
    done
  done
  p_fact build_headers "$p_headers"
  if PATH=$P_PATH:$HOME/.cargo/bin command -v cargo >/dev/null 2>&1; then p_fact build_cargo yes; fi
}

p_facts() {
  p_fact home "$HOME"
  p_fact user "$(id -un)"
  p_fact uid "$(id -u)"
  p_fact gid "$(id -g)"
  p_fact group "$(id -gn 2>/dev/null)"
  p_fact shell "$SHELL"
  p_fact umask "$P_UMASK"
  p_fact path "$P_PATH"
  p_fact lang "$P_LANG"
  # The node's own word for its name: a `hostname` on the account's PATH if there is one, else the kernel's.
  p_fact nodename "$(PATH=$P_PATH hostname 2>/dev/null </dev/null || uname -n)"
  p_fact kernel "$(uname -r)"
  p_fact system "$(uname -s)"
  p_fact architecture "$(uname -m)"
  p_fact cpus "$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN)"
  p_fact libc "$(getconf GNU_LIBC_VERSION 2>/dev/null)"
  p_fact boot_id "$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)"
  if [ -r /proc/meminfo ]; then
    read -r _ p_value _ </proc/meminfo
    p_fact memory_kib "$p_value"
  fi
  if [ -r /etc/os-release ]; then
    p_fact os_id "$(p_release ID)"
    p_fact os_like "$(p_release ID_LIKE)"
    p_fact os_version "$(p_release VERSION_ID)"
    p_fact os_codename "$(p_release VERSION_CODENAME)"
  elif [ -r /etc/redhat-release ]; then
    p_fact os_text "$(head -n 1 /etc/redhat-release)"
  fi
  p_tools=
  for p_tool in curl wget tar gzip bzip2 xz unzip make cc gcc autoconf perl python3 git setsid base64 srun; do
    if p_value=$(PATH=$P_PATH command -v "$p_tool" 2>/dev/null); then p_tools="$p_tools $p_tool=$p_value"; fi
  done
  p_fact tools "$p_tools"
  for p_file in "$P_ROOT"/guard/*; do
    if [ -e "$p_file" ]; then p_fact guard_left yes; break; fi
  done
  p_fact date "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
  p_fact_system
  p_build
  p_nvidia
  p_emit facts-end
}
