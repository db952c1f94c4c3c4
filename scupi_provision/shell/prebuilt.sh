# Unpacks a program that comes ready made into a prefix of its own. Run as a durable job, after tree.sh: sh, tar.
# shellcheck shell=sh
# shellcheck disable=SC2154  # archive, prefix, strip and extract (the text of extract.sh) are set ahead of this text

phase unpack
rm -rf -- "$prefix" || exit 1
mkdir -p -- "${prefix%/*}" || exit 1
/bin/sh -c "$extract" extract "$archive" "$prefix" "$strip" '' || exit 1
prove
seal
