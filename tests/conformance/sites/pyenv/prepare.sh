mkdir -p upstream/pyenv/bin upstream/pyenv-virtualenv
cat >upstream/pyenv/bin/pyenv <<'EOF'
#!/bin/sh
# Does of pyenv what the role asks: makes a folder for a version, and remembers the global ones.
set -eu
case $1 in
install) mkdir -p "$PYENV_ROOT/versions/$3/bin"; printf 'Installed Python-%s\n' "$3" ;;
global) shift; printf '%s\n' "$@" >"$PYENV_ROOT/version" ;;
rehash) mkdir -p "$PYENV_ROOT/shims" ;;
esac
EOF
chmod 755 upstream/pyenv/bin/pyenv
printf 'a plugin\n' >upstream/pyenv-virtualenv/README
for each in pyenv pyenv-virtualenv; do
  (cd upstream/$each && git init -q -b master . && git add . && git commit -q -m first && git tag v2.4.0)
done
