# Brings a git repository to a version. Run as a program: sh and coreutils, plus git (1.8 or newer).
# It goes to the repository by cd: `git -C` came with git 1.8.5 (its release notes).
# Says lines `key value`: before, after, remote (the URL changed), mods, submodules, archived.
# shellcheck shell=sh
# shellcheck disable=SC2154  # the variables are set ahead of this text
#   git repo dest version remote refspec depth reference separate archive prefix ssh_options key_file signers
#   clone update force bare recursive track single verify    "yes" or nothing
GIT_TERMINAL_PROMPT=0 LC_ALL=C
export GIT_TERMINAL_PROMPT LC_ALL
say() { printf '%s %s\n' "$1" "$2"; }
quit() { echo "$1" >&2; exit 1; }
tell() { "$git" "$@" >&2 </dev/null; }
ask() { "$git" "$@" 2>/dev/null </dev/null; }

use_ssh() { # options and key for ssh, also for gits that know only GIT_SSH
  options=$ssh_options
  [ -z "$key_file" ] || options="$options -i '$key_file' -o IdentitiesOnly=yes"
  [ -n "$options" ] || return 0
  work=$(mktemp -d "${TMPDIR:-/tmp}/provision-git.XXXXXX") || exit 125
  trap 'rm -rf -- "$work"' EXIT
  trap 'exit 143' HUP INT TERM
  printf '#!/bin/sh\nexec ssh %s "$@"\n' "$options" >"$work/ssh" && chmod 700 "$work/ssh" || exit 125
  GIT_SSH=$work/ssh GIT_SSH_COMMAND=$work/ssh
  export GIT_SSH GIT_SSH_COMMAND
}

is_commit() { case $1 in *[!0-9a-f]*) return 1 ;; esac; [ ${#1} -eq 40 ] || [ ${#1} -eq 64 ]; }
has_commit() { ask cat-file -e "$1^{commit}"; }
is_remote_branch() { ask show-ref --verify --quiet "refs/remotes/$remote/$1"; }
head_branch() { # the branch that the remote's HEAD names
  branch=$(ask symbolic-ref "refs/remotes/$remote/HEAD") && branch=${branch#"refs/remotes/$remote/"} && is_remote_branch "$branch" && return
  tell remote set-head "$remote" --auto && branch=$(ask symbolic-ref "refs/remotes/$remote/HEAD") && branch=${branch#"refs/remotes/$remote/"}
}

# What ls-remote says of the wanted version: what a clone would check out.
remote_commit() {
  is_commit "$version" && { echo "$version"; return; }
  ask ls-remote "$repo" "$version" "refs/heads/$version" "refs/tags/$version" "refs/tags/$version^{}" | {
    found=
    while read -r commit name; do
      case $name in HEAD | "refs/heads/$version" | "refs/tags/$version" | "refs/tags/$version^{}") found=$commit ;; esac
    done
    echo "$found"
  }
}

make_clone() {
  mkdir -p -- "${dest%/*}" || exit 1
  set -- --origin "$remote"
  [ -z "$bare" ] || set -- "$@" --bare
  if [ -n "$depth$single" ] && ! is_commit "$version" && [ -z "$refspec" ]; then
    [ -z "$depth" ] || set -- "$@" --depth "$depth"
    [ -z "$single" ] || set -- "$@" --single-branch
    [ "$version" = HEAD ] || set -- "$@" --branch "$version"
  elif [ "$version" != HEAD ] && [ -z "$bare" ] && ! is_commit "$version"; then
    # A branch or a tag is taken at once; anything else is looked for in what came.
    [ -z "$(ask ls-remote "$repo" "refs/heads/$version" "refs/tags/$version")" ] || set -- "$@" --branch "$version"
  fi
  [ -z "$reference" ] || set -- "$@" --reference "$reference"
  [ -z "$separate" ] || set -- "$@" --separate-git-dir="$separate"
  tell clone "$@" -- "$repo" "$dest" || quit "git clone has failed"
  cd -- "$dest" || exit 1
  [ -n "$bare" ] && [ "$remote" != origin ] && tell remote add "$remote" "$repo"
  [ -z "$refspec" ] || tell fetch "$remote" "$refspec" || quit "git fetch has failed"
}

fetch_all() {
  set --
  if [ -n "$depth" ] && [ "$version" != HEAD ] && ! is_commit "$version"; then
    set -- --depth "$depth"
    if [ -n "$(ask ls-remote "$remote" "refs/tags/$version")" ]; then
      tell fetch "$@" --force "$remote" "+refs/tags/$version:refs/tags/$version" || quit "git fetch has failed"
    else
      tell fetch "$@" --force "$remote" "+refs/heads/$version:refs/remotes/$remote/$version" ||
        quit "Failed to find $version in $repo: git fetch has failed"
    fi
    return
  fi
  [ -z "$depth" ] || set -- --depth "$depth"
  if [ -n "$bare" ]; then
    tell fetch "$@" --force "$remote" '+refs/heads/*:refs/heads/*' || quit "git fetch has failed"
  else
    tell fetch "$@" --force "$remote" || quit "git fetch has failed"
  fi
  # A shallow fetch that names all tags fails (git 2.39) where there are none; those of what came are there already.
  [ -n "$depth" ] || tell fetch "$@" --force "$remote" '+refs/tags/*:refs/tags/*' || quit "git fetch has failed"
  [ -z "$refspec" ] || tell fetch "$remote" "$refspec" || quit "git fetch has failed"
}

switch() {
  branch=$version
  [ "$version" != HEAD ] || head_branch || quit "which branch the HEAD of $repo is could not be told"
  if is_remote_branch "$branch"; then
    if ask show-ref --verify --quiet "refs/heads/$branch"; then
      tell checkout --force "$branch" -- || quit "Failed to checkout branch $branch"
    else
      tell checkout --track -b "$branch" "$remote/$branch" || quit "Failed to checkout branch $branch"
    fi
    tell reset --hard "$remote/$branch" -- || quit "git reset has failed"
    return
  fi
  if is_commit "$version" && ! has_commit "$version"; then
    tell fetch "$remote" "$version" || quit "Failed to find $version in $repo; a commit that no branch holds needs refspec"
  fi
  has_commit "$version" || quit "Failed to checkout $version"
  tell checkout --force "$version" -- || tell checkout --force "$version" || quit "Failed to checkout $version"
}

modules_state() { ask submodule status --recursive; }
update_modules() {
  [ -n "$recursive" ] && [ -e .gitmodules ] || return 0
  was=$(modules_state)
  tell submodule sync || quit "git submodule sync has failed"
  if [ -n "$track" ]; then set -- --remote; else set --; fi
  tell submodule update --init --recursive "$@" ${force:+--force} || quit "git submodule update has failed"
  [ "$was" = "$(modules_state)" ] || say submodules changed
}

check_signature() {
  [ -n "$verify" ] || return 0
  if ask show-ref --verify --quiet "refs/tags/$version"; then set -- verify-tag; else set -- verify-commit; fi
  name=$version
  [ "$1" = verify-tag ] || name=HEAD
  said=$("$git" "$@" --raw "$name" 2>&1 </dev/null) || quit "Failed to verify GPG signature of commit/tag \"$version\": $said"
  [ -n "$signers" ] || return 0
  for signer in $signers; do
    case $said in *"VALIDSIG $signer"* | *"VALIDSIG "*" $signer"*) return 0 ;; esac
  done
  quit "the signature of \"$version\" is of none of the keys allowed"
}

make_archive() {
  [ -n "$archive" ] || return 0
  case $archive in
    *.tar.gz) form=tar.gz ;; *.tgz) form=tgz ;; *.tar) form=tar ;; *.zip) form=zip ;;
    *) quit "archive must end in .zip, .tar.gz, .tar or .tgz" ;;
  esac
  what=$version
  [ "$version" != HEAD ] || what=HEAD
  is_remote_branch "$version" && what=$remote/$version
  tell archive --format="$form" ${prefix:+--prefix="$prefix"} --output="$archive.new.$form" "$what" || quit "git archive has failed"
  if [ -f "$archive" ] && a=$(sha256sum <"$archive") && b=$(sha256sum <"$archive.new.$form") && [ "$a" = "$b" ]; then
    rm -f -- "$archive.new.$form"
  else
    mv -f -- "$archive.new.$form" "$archive" || exit 1
    say archived yes
  fi
}

command -v "$git" >/dev/null 2>&1 || quit "there is no git on this host; the role git builds one"
use_ssh
store=$dest/.git
[ -z "$bare" ] || store=$dest
if ! [ -e "$store/config" ] && ! [ -f "$store" ]; then
  say before -
  if [ -z "$clone" ]; then
    say after "$(remote_commit)"
    exit 0
  fi
  make_clone
else
  cd -- "$dest" || exit 1
  before=$(ask rev-parse HEAD)
  say before "${before:--}"
  if [ -z "$update" ]; then
    say after "${before:--}"
    make_archive
    exit 0
  fi
  if [ -z "$bare" ] && [ -n "$(ask status --porcelain --untracked-files=no --ignore-submodules=none)" ]; then
    [ -n "$force" ] || quit "Local modifications exist in the destination: $dest (force=no)."
    say mods yes
    tell reset --hard HEAD -- || quit "git reset has failed"
  fi
  url=$(ask config --get "remote.$remote.url")
  if [ "$url" != "$repo" ]; then
    if [ -n "$url" ]; then tell remote set-url "$remote" "$repo"; say remote changed; else tell remote add "$remote" "$repo"; fi
  fi
  # A commit that is checked out already can be nothing else: nobody has to be asked.
  [ "$before" = "$version" ] || fetch_all
fi
if [ -z "$bare" ]; then
  switch
  check_signature
  update_modules
fi
say after "$(ask rev-parse HEAD)"
make_archive
