#!/bin/bash
# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0

# run.sh SCRATCH SECONDS [CORPUS] - runs SCRATCH/DeviceTree from the seeds for SECONDS, or with 0
# once over each seed. Seeds are dts/*.dts,
# the blobs of dts/hostile.py, what was found before (Tests/Fuzz/DeviceTree/found), and the trees in
# CORPUS.
set -euo pipefail
scratch=$1 seconds=$2 corpus=${3:-}

seeds=$scratch/seeds
rm -rf "$seeds"
mkdir -p "$seeds" "$scratch/found"
for source in dts/*.dts; do
  # What is wrong with a tree is on purpose: forced, and without the warnings.
  dtc -q -q -f -I dts -O dtb -o "$seeds/$(basename "$source" .dts).dtb" "$source"
done
python3 dts/hostile.py "$seeds" >/dev/null
# What the fuzzer has found before.
cp Tests/Fuzz/DeviceTree/found/* "$seeds"
if [ -d "$corpus" ]; then
  find "$corpus" -name '*.dtb' | while read -r tree; do
    cp "$tree" "$seeds/corpus-$(echo "${tree#"$corpus"/}" | tr / -)"
  done
fi
count=$(find "$seeds" "$scratch/found" -type f | wc -l)
[ "$count" -gt 0 ] || { echo "no seeds" >&2; exit 1; }

# What libFuzzer finds worth keeping grows beside the seeds and is used again the next time.
if [ "$seconds" -eq 0 ]; then
  # Handed over as files and not as folders, so that each is run whole and none is left out.
  find "$seeds" "$scratch/found" -type f -print0 | LC_ALL=C sort -z |
    xargs -0 "$scratch/DeviceTree" -artifact_prefix="$scratch/" >"$scratch/replay.log" 2>&1 ||
    { tail -n 60 "$scratch/replay.log" >&2; exit 1; }
  echo "replayed $count seeds"
else
  "$scratch/DeviceTree" -max_total_time="$seconds" -max_len=2097152 -timeout="$(python3 Tests/Runners/pace.py 10)" -rss_limit_mb=2048 \
    -print_final_stats=1 -artifact_prefix="$scratch/" "$scratch/found" "$seeds"
fi
