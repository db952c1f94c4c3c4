# Asks for a job of `async`, or removes what it has left. The variables jid, mode and keep are set ahead.
# shellcheck shell=sh
# shellcheck disable=SC2154  # set ahead; functions of job_look.sh

directory=$HOME/.provision/jobs/$jid
if [ "$mode" = cleanup ]; then
  case $(j_state "$directory") in
    running) echo "job $jid"; echo "state running"; exit 0 ;;
  esac
  rm -rf -- "$directory"
  echo "job $jid"
  echo "state erased"
elif [ -d "$directory" ]; then
  j_look "$directory"
  j_said "$directory" "$keep"
else
  echo "job $jid"
  echo "state missing"
fi
