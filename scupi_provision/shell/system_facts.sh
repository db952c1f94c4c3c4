# What is left of Ansible's facts: what files in /proc, /sys and /etc tell, and one look at the network's addresses.
# Evaluated after facts.sh.
# shellcheck shell=sh
# shellcheck disable=SC2154  # P_PATH is set by the bootstrap

p_fact_line() { # FILE NAME: the first line of a file; those of SELinux end without a line feed
  [ -r "$1" ] || return 0
  p_value=
  read -r p_value <"$1" 2>/dev/null
  p_fact "$2" "$p_value"
}
p_fact_memory() {
  p_said=
  while read -r p_key p_value _; do
    case $p_key in
      MemTotal: | MemFree: | Buffers: | Cached: | SwapCached: | SwapTotal: | SwapFree:) p_said="$p_said ${p_key%:}=$p_value" ;;
    esac
  done </proc/meminfo
  p_fact meminfo "${p_said# }"
}
p_fact_processors() { # each line once: of a machine with many of them that is little
  p_count=0 p_sockets=0 p_vendor='' p_model='' p_cores='' p_siblings=''
  while IFS=: read -r p_key p_value; do
    p_key=${p_key%%[!a-z_ ]*} p_value=${p_value# }
    case $p_key in
      processor) p_count=$((p_count + 1)) ;;
      'physical id') p_sockets=$((p_sockets + 1)) ;;
      vendor_id) p_vendor=$p_value ;;
      'model name') p_model=$p_value ;;
      'cpu cores') p_cores=$p_value ;;
      siblings) p_siblings=$p_value ;;
    esac
  done <<END
$(sort -u /proc/cpuinfo)
END
  [ "$p_sockets" -eq 0 ] || p_fact processors "$p_count,$p_sockets,$p_cores,$p_siblings,$p_vendor,$p_model"
}
p_fact_account() { # the account's line in passwd, its comment
  p_entry=$(getent passwd "$(id -u)" 2>/dev/null) || return
  p_entry=${p_entry#*:*:*:*:}
  p_fact gecos "${p_entry%%:*}"
}
p_fact_folders() {
  for p_key in LOGNAME TMPDIR XDG_CACHE_HOME XDG_CONFIG_HOME XDG_DATA_HOME XDG_RUNTIME_DIR XDG_STATE_HOME; do
    eval "p_value=\${$p_key-}"
    p_fact "env_$p_key" "$p_value"
  done
}
p_fact_lsb() {
  p_said=
  while IFS= read -r p_value; do
    case $p_value in DISTRIB_*) p_said="$p_said;$p_value" ;; esac
  done </etc/lsb-release
  p_fact lsb "${p_said#;}"
}
p_fact_links() { # NAME,STATE,MTU,TYPE,MAC of every network interface
  p_said=
  for p_folder in /sys/class/net/*; do
    [ -r "$p_folder/operstate" ] || continue
    p_said="$p_said;${p_folder##*/}"
    for p_key in operstate mtu type address; do
      p_value=
      read -r p_value <"$p_folder/$p_key" 2>/dev/null
      p_said="$p_said,$p_value"
    done
  done
  p_fact links "${p_said#;}"
}
p_fact_routes() { # to everywhere: INTERFACE,GATEWAY of the first one, as the kernel writes addresses
  if [ -r /proc/net/route ]; then
    while read -r p_key p_value p_said _; do
      [ "$p_value" = 00000000 ] && { p_fact route4 "$p_key,$p_said"; break; }
    done </proc/net/route
  fi
  if [ -r /proc/net/ipv6_route ]; then
    while read -r p_key p_value _ _ p_said _ _ _ _ p_folder; do
      case $p_key/$p_value/$p_folder in
        */lo) ;;
        00000000000000000000000000000000/00/*) p_fact route6 "$p_folder,$p_said"; break ;;
      esac
    done </proc/net/ipv6_route
  fi
}
p_fact_addresses() { # what iproute2 says of them, one after the other; it is often outside of people's PATH
  p_tool=$(PATH=$P_PATH:/usr/sbin:/sbin command -v ip 2>/dev/null) || return 0
  p_said=
  while read -r _ p_value; do
    p_said="$p_said;${p_value%%\\*}"
  done <<END
$("$p_tool" -o addr show 2>/dev/null </dev/null)
END
  p_fact addresses "${p_said#;}"
}
p_fact_system() {
  p_fact kernel_version "$(uname -v)"
  p_fact clock "$(LC_ALL=C date '+%s %Y-%m-%d %H:%M:%S %A %w %W %Z %z')"
  p_fact word_bits "$(getconf LONG_BIT 2>/dev/null)"
  p_fact_line /proc/uptime uptime
  p_fact_line /proc/loadavg loadavg
  p_fact_line /etc/machine-id machine_id
  p_fact_line /proc/1/comm first_process
  p_fact_line /sys/fs/selinux/enforce selinux
  p_fact_line /sys/fs/selinux/policyvers selinux_policy
  if [ -e /run/systemd/system ]; then p_fact systemd yes; fi
  if [ -r /proc/meminfo ]; then p_fact_memory; fi
  if [ -r /proc/cpuinfo ]; then p_fact_processors; fi
  p_fact_line /etc/debian_version debian_version
  p_fact_line /etc/redhat-release redhat_release
  if [ -r /etc/lsb-release ]; then p_fact_lsb; fi
  p_fact_links
  p_fact_routes
  p_fact_addresses
  p_fact_account
  p_fact_folders
  for p_tool in python3 python; do
    p_value=$(PATH=$P_PATH command -v "$p_tool" 2>/dev/null) || continue
    p_fact python "$p_value"
    p_fact python_program "$(readlink -f "$p_value" 2>/dev/null)" # its name tells the version; it is not started
    break
  done
}
