# Defines the shell function `conda`, so that activation can change this shell.
# The prefix is filled in when the package is linked.
export CONDA_EXE='@PREFIX@/bin/conda'
export CONDA_PYTHON_EXE='@PREFIX@/bin/python'

__conda_activate() {
  __conda_text=$(PS1="${PS1:-}" "$CONDA_EXE" shell.posix "$@") || return
  eval "$__conda_text"
  unset __conda_text
  hash -r
}

conda() {
  case ${1-} in
  activate | deactivate)
    __conda_activate "$@"
    ;;
  install | update | upgrade | remove | uninstall)
    "$CONDA_EXE" "$@" || return
    __conda_activate reactivate
    ;;
  *)
    "$CONDA_EXE" "$@"
    ;;
  esac
}

if [ -z "${CONDA_SHLVL+x}" ]; then
  export CONDA_SHLVL=0
  # shellcheck disable=SC2123  # the search path is meant
  PATH='@PREFIX@/condabin'${PATH:+":$PATH"}
  export PATH
fi
