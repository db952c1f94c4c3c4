# Who uses which GPU: what nvidia-smi says, line by line, and whose the processes are. Evaluated after facts.sh.
# shellcheck shell=sh
# shellcheck disable=SC2154  # P_… and p_lines come from there

p_smi_lines() { # KIND ARGUMENT…: what nvidia-smi prints, each line with its kind ahead
  p_kind=$1; shift
  p_lines "$P_SMI_LIMIT" "$p_kind " nvidia-smi "$@"
}

# Both questions at the same time. The fields are FIELDS and LATER_FIELDS of gpu/probe/listing.py.
p_smi_use() { # FIELDS
  p_csv=--format=csv,noheader,nounits
  p_smi_lines gpus "--query-gpu=$1" $p_csv &
  p_smi_lines apps --query-compute-apps=gpu_uuid,pid,process_name,used_memory $p_csv &
  wait
}

p_owner() { # PID: whose it is; nothing where the node hides that
  case $1 in '' | *[!0-9]*) return ;; esac
  p_who=$(stat -c %U "/proc/$1" 2>/dev/null) || return 0
  [ "$p_who" != UNKNOWN ] || p_who=$(stat -c %u "/proc/$1" 2>/dev/null)
  p_fact "owner_$1" "$p_who"
}

p_gpu_use() {
  PATH=$P_PATH command -v nvidia-smi >/dev/null 2>&1 || return 0
  p_fields=index,uuid,name,driver_version,memory.total,memory.used,utilization.gpu,compute_mode,mig.mode.current,compute_cap
  p_said=$(p_smi_use "$p_fields")
  for p_last in ,compute_cap ,mig.mode.current; do
    case $p_said in *' is not a valid field'*) p_fields=${p_fields%"$p_last"}; p_said=$(p_smi_use "$p_fields") ;; esac
  done
  # The table alone tells how full the slices of a GPU are (MIG), and who is in which.
  case $p_said in *', Enabled'*) p_said=$p_said$P_NL$(p_smi_lines listing -L)$P_NL$(p_smi_lines table) ;; esac
  while read -r p_kind p_line; do
    [ -z "$p_line" ] || p_fact "$p_kind" "$p_line"
    p_pid=
    case $p_kind in
      apps) p_pid=${p_line#*, }; p_pid=${p_pid%%,*} ;;
      table) read -r _ _ _ _ p_pid _ ;;
    esac <<END
$p_line
END
    p_owner "$p_pid"
  done <<END
$p_said
END
}
