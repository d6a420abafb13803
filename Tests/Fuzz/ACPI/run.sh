#!/bin/bash
# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0

# run.sh SCRATCH SECONDS - runs SCRATCH/ACPI from the seeds for SECONDS, or with 0 once over each seed. Seeds are the boards
# of Tests/Runners/corpus/tables.py, and what was found before.
set -euo pipefail
scratch=$1 seconds=$2

seeds=$scratch/seeds
rm -rf "$seeds"
mkdir -p "$seeds" "$scratch/found"
python3 -m Runners.corpus.tables "$seeds"
for found in Tests/Fuzz/ACPI/found/*; do
  if [ -e "$found" ]; then cp "$found" "$seeds"; fi
done
count=$(find "$seeds" "$scratch/found" -type f | wc -l)

if [ "$seconds" -eq 0 ]; then
  # Handed over as files and not as folders, so that each is run whole and none is left out.
  find "$seeds" "$scratch/found" -type f -print0 | LC_ALL=C sort -z |
    xargs -0 "$scratch/ACPI" -artifact_prefix="$scratch/" >"$scratch/replay.log" 2>&1 ||
    { tail -n 60 "$scratch/replay.log" >&2; exit 1; }
  # A reader that refuses everything finds nothing either.
  taken=$(sed -n 's/^inputs taken: //p' "$scratch/replay.log" | awk '{ sum += $1 } END { print sum + 0 }')
  [ "$taken" -gt $((count / 2)) ] || { echo "of $count seeds only $taken have tables that are taken" >&2; exit 1; }
  echo "replayed $count seeds"
else
  "$scratch/ACPI" -max_total_time="$seconds" -max_len=65536 -timeout="$(python3 Tests/Runners/pace.py 25)" \
    -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$scratch/" "$scratch/found" "$seeds"
fi
