mkdir -p served/nvm
cat >served/nvm/nvm.sh <<'EOF'
# Does of nvm what the role asks.
nvm() {
  case $1 in
  ls) ls "$NVM_DIR/versions/node" 2>/dev/null || printf 'N/A\n' ;;
  install) mkdir -p "$NVM_DIR/versions/node/v$2/bin" && printf 'Now using node v%s\n' "$2" ;;
  alias) mkdir -p "$NVM_DIR/alias" && printf '%s\n' "$3" >"$NVM_DIR/alias/$2" ;;
  esac
}
EOF
