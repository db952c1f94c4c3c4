mkdir -p served
cat >served/Miniconda3-latest-Linux-x86_64.sh <<'EOF'
#!/bin/sh
# Does of Miniconda's installer, and of conda, what the role asks.
set -eu
while [ $# -gt 0 ]; do case $1 in -p) prefix=$2; shift ;; esac; shift; done
mkdir -p "$prefix/bin" "$prefix/envs"
cat >"$prefix/bin/conda" <<'INNER'
#!/bin/sh
set -eu
root=$(dirname "$(dirname "$0")")
case "$1 $2" in
"env list") ls "$root/envs" ;;
"env create") mkdir -p "$root/envs/$4" && grep '^  - ' "$6" | sort >"$root/envs/$4/packages" ;;
"config --set") printf '%s: %s\n' "$3" "$4" >>"$HOME/.condarc" ;;
esac
INNER
chmod 755 "$prefix/bin/conda"
EOF
