#!/bin/sh
# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0

# corpus.sh DIRECTORY [PORTCULLIS] - fetches the corpus into DIRECTORY and compares what PORTCULLIS
# (the release build) tells of it with an independent reading, for each page size.
set -eu

if [ $# -lt 1 ] || [ $# -gt 2 ]; then
  echo "usage: corpus.sh DIRECTORY [PORTCULLIS]" >&2
  exit 64
fi
program=${2:-.build/release/portcullis}

Tests/Setup/corpus.sh "$1"
for size in 4k 16k 64k; do
  echo "Comparing for pages of $size" >&2
  python3 -m Runners.corpus.run --page-size "$size" "$program" "$1"
done
