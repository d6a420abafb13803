#!/bin/bash
# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0

# run.sh SCRATCH SECONDS - runs SCRATCH/ITS for SECONDS, or with 0 once over each input that it has
# found something with before (Tests/Fuzz/ITS/found).
set -euo pipefail
scratch=$1 seconds=$2

seeds=Tests/Fuzz/ITS/found
mkdir -p "$scratch/found-its"
if [ "$seconds" -eq 0 ]; then
  count=$(find "$seeds" -type f -name '*.bin' | wc -l)
  find "$seeds" -type f -name '*.bin' -print0 | LC_ALL=C sort -z |
    xargs -0 -r "$scratch/ITS" -artifact_prefix="$scratch/" >"$scratch/replay-its.log" 2>&1 ||
    { tail -n 60 "$scratch/replay-its.log" >&2; exit 1; }
  echo "replayed $count seeds"
else
  # What libFuzzer finds worth keeping grows beside the seeds and is used again the next time.
  "$scratch/ITS" -max_total_time="$seconds" -max_len=16384 -len_control=10 -timeout=20 \
    -rss_limit_mb=4096 -print_final_stats=1 -artifact_prefix="$scratch/" "$scratch/found-its" \
    "$seeds"
fi
