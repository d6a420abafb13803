#!/bin/bash
# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0

# run.sh SCRATCH SECONDS - runs SCRATCH/ITS for SECONDS, or with 0 once over each seed. Seeds are the
# inputs that it has found something with before (Tests/Fuzz/ITS/found), and what EL2 has recorded
# (Tests/ReplayTests/Traces), whole and the first parts of it.
set -euo pipefail
scratch=$1 seconds=$2

seeds=Tests/Fuzz/ITS/found
mkdir -p "$scratch/found-its" "$scratch/seeds-its"
# What the fuzzer has found before, as long as there is any.
rm -f "$scratch/seeds-its"/*
if [ -d "$seeds" ]; then cp "$seeds"/*.bin "$scratch/seeds-its"; fi
seeds=$scratch/seeds-its
for trace in Tests/ReplayTests/Traces/*.trace; do
  name=$(basename "$trace" .trace)
  cp "$trace" "$seeds"
  # A record has 64 bytes; the first eleven say how the ITS was set up.
  for records in 24 64 256; do
    head -c $((records * 64)) "$trace" >"$seeds/$name-$records.trace"
  done
done
if [ "$seconds" -eq 0 ]; then
  count=$(find "$seeds" -type f | wc -l)
  find "$seeds" -type f -print0 | LC_ALL=C sort -z |
    xargs -0 -r "$scratch/ITS" -artifact_prefix="$scratch/" >"$scratch/replay-its.log" 2>&1 ||
    { tail -n 60 "$scratch/replay-its.log" >&2; exit 1; }
  echo "replayed $count seeds"
else
  # Random bytes are long lives of a host; from nothing the fuzzer would be slow to get there.
  mkdir -p "$scratch/random-its"
  python3 -c '
import pathlib, random, sys
for number in range(256):
    life = bytes([number]) + random.Random(number).randbytes(2048)
    pathlib.Path(sys.argv[1], f"{number:03}.bin").write_bytes(life)
  ' "$scratch/random-its"
  # What libFuzzer finds worth keeping grows beside the seeds and is used again the next time.
  "$scratch/ITS" -max_total_time="$seconds" -max_len=81920 -len_control=0 -timeout="$(python3 Tests/Runners/pace.py 20)" \
    -rss_limit_mb=4096 -print_final_stats=1 -artifact_prefix="$scratch/" "$scratch/found-its" \
    "$seeds" "$scratch/random-its"
fi
