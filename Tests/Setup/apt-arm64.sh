#!/bin/sh
# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0

# apt-arm64.sh TOOL ARGUMENT... - runs apt-get or apt-cache as on an arm64 machine.
#
# The machine's own sources, but lists and cache in .build/apt-arm64, fetched on first use: nothing
# foreign is registered or installed, and no privilege is needed.
set -eu

build=$(cd "$(dirname "$0")/../.." && pwd)/.build
state=$build/apt-arm64

# run TOOL ARGUMENT... - with state and cache in $base.
run() {
  tool=$1
  shift
  "$tool" --quiet \
    -o APT::Architecture=arm64 -o APT::Architectures=arm64 \
    -o Dir::State="$base" -o Dir::State::status=/dev/null -o Dir::Cache="$base/cache" \
    -o APT::Sandbox::User="$(id -un)" -o Acquire::Languages=none "$@"
}

if [ ! -d "$state" ]; then
  # Moved into place whole, so that an interrupted run leaves nothing that looks complete.
  mkdir -p "$build"
  base=$(mktemp -d "$build/apt-arm64.XXXXXX")
  trap 'rm -rf "$base"' EXIT
  trap 'exit 1' INT TERM
  mkdir -p "$base/lists/partial" "$base/cache/archives/partial"
  # A source without arm64 makes update fail; what counts is whether the packages can be had.
  echo "Fetching the package lists of arm64" >&2
  run apt-get -qq update >&2 || echo "apt-get update failed for some source" >&2
  # The cache names files in the directory where it was made.
  rm -f "$base"/cache/*.bin
  mv "$base" "$state"
  trap - EXIT INT TERM
fi

base=$state
run "$@"
