# A look at an account, as text that a person can copy from a web page. Evaluated after runtime.sh, facts.sh, elsewhere.sh.
# shellcheck shell=sh
# shellcheck disable=SC2154  # S_LOOKS is set by what has looked

s_seen() { S_LOOKS=$S_LOOKS$1$P_NL; } # LINES

s_unseen() { echo "$1 could not be asked from here. Where you can log in to it, run there: sh $S_NAME $1   (and copy both texts)" >&2; }

# Lines of base64: whatever a terminal does to line ends and blanks, nothing is lost; and what is lost is noticed.
s_show() {
  s_hash=$(p_put "$S_LOOKS" | sha256sum)
  echo '-----BEGIN PROVISION LOOK-----'
  p_put "$S_LOOKS" | base64
  echo "-----END PROVISION LOOK ${s_hash%% *}-----"
  echo "copy everything from BEGIN to END into a file, then: provision compile ... --look FILE" >&2
}
