#!/bin/sh
# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0

# apt-beside.sh ARCHITECTURE [--backports|--newest] TOOL ARGUMENT... - runs apt-get or apt-cache as on another
# machine of Debian's ARCHITECTURE, on which nothing is installed.
#
# The machine's own sources, but lists and cache in .build/apt-ARCHITECTURE, fetched on first use: nothing
# foreign is registered or installed, and no privilege is needed. With --backports the only source is
# the backports suite of the machine's Debian release, with --newest that of Debian's stable release, wherever
# the machine's own sources have the machine's release; lists and cache are in .build/apt-ARCHITECTURE-backports
# and .build/apt-ARCHITECTURE-newest.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$here/../.." && pwd)/.build
architecture=$1
shift
state=$build/apt-$architecture
case ${1-} in
  --backports | --newest)
    state=$state-${1#--}
    shift
    ;;
esac

# run TOOL ARGUMENT... - with state and cache in $base.
run() {
  tool=$1
  shift
  if [ -d "$base/sources" ]; then
    set -- -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$base/sources" "$@"
  fi
  "$tool" --quiet \
    -o APT::Architecture="$architecture" -o APT::Architectures="$architecture" \
    -o Dir::State="$base" -o Dir::State::status=/dev/null -o Dir::Cache="$base/cache" \
    -o APT::Sandbox::User="$(id -un)" -o Acquire::Languages=none "$@"
}

# write_sources [stable] - writes the sources of a release's backports, the machine's own if none is named, to
# $base/sources.
write_sources() {
  # The file of every Debian machine that names its release.
  suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
  mkdir "$base/sources"
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list \
    /etc/apt/sources.list.d/*.sources; do
    [ -f "$file" ] || continue
    target=$base/sources/$(basename "$file")
    awk -v suite="$suite" -v wanted="${1-$suite}-backports" -v form="${file##*.}" -f "$here/backports.awk" "$file" >"$target"
    [ -s "$target" ] || rm "$target"
  done
}

if [ ! -d "$state" ]; then
  # Moved into place whole, so that an interrupted run leaves nothing that looks complete.
  mkdir -p "$build"
  base=$(mktemp -d "$state.XXXXXX")
  trap 'rm -rf "$base"' EXIT
  trap 'exit 1' INT TERM
  mkdir -p "$base/lists/partial" "$base/cache/archives/partial"
  case $state in
    *-backports) write_sources ;;
    *-newest) write_sources stable ;;
  esac
  # A source without the architecture makes update fail; what counts is whether the packages can be had.
  echo "Fetching the package lists of ${state##*/apt-}" >&2
  run apt-get -qq update >&2 || echo "apt-get update failed for some source" >&2
  # The cache names files in the directory where it was made.
  rm -f "$base"/cache/*.bin
  mv "$base" "$state"
  trap - EXIT INT TERM
fi

base=$state
run "$@"
