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

p_nvidia() {
  if [ -r /proc/driver/nvidia/version ]; then
    p_fact nvidia_driver_text "$(head -n 1 /proc/driver/nvidia/version)"
  fi
  PATH=$P_PATH command -v nvidia-smi >/dev/null 2>&1 || return 0
  p_gpus=$(PATH=$P_PATH nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2>/dev/null </dev/null) || return 0
  p_fact gpu_count "$(printf '%s\n' "$p_gpus" | wc -l)"
  p_fact gpu_first "$(printf '%s\n' "$p_gpus" | head -n 1)"
}

# p_defined FILE NAME: the text that a header defines NAME as
p_defined() { sed -n "s/^# *define[ \t][ \t]*$2[ \t][ \t]*\"\(.*\)\".*/\1/p" "$1" 2>/dev/null | head -n 1; }

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
  p_fact date "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
  p_build
  p_nvidia
  p_emit facts-end
}
