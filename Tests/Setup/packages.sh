#!/bin/sh
# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0

# packages.sh PACKAGE... - makes sure that Debian packages are installed: root installs what is
# missing, anyone else is told the one command that does.
set -eu

missing=
for package in "$@"; do
  state=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null) || state=
  [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
  echo "Missing Debian packages. Install them with:" >&2
  echo "  sudo sh -c 'apt-get update && apt-get install --yes --no-install-recommends$missing'" >&2
  exit 1
fi

echo "Installing$missing" >&2
export DEBIAN_FRONTEND=noninteractive
# An unreachable third-party source makes update fail; what counts is whether install succeeds.
apt-get -qq update >&2 || echo "apt-get update failed; trying with the lists there are" >&2
# shellcheck disable=SC2086 # a list of words on purpose
apt-get -qq install --yes --no-install-recommends $missing >&2
