#!/bin/bash
# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0

# run.sh SCRATCH SECONDS - runs SCRATCH/SMMU for SECONDS, from random lives of a host and what it has found
# worth keeping before.
set -euo pipefail
scratch=$1 seconds=$2
mkdir -p "$scratch/found" "$scratch/random"
python3 -c '
import pathlib, random, sys
for number in range(256):
    life = bytes([number]) + random.Random(number).randbytes(2048)
    pathlib.Path(sys.argv[1], f"{number:03}.bin").write_bytes(life)
' "$scratch/random"
"$scratch/SMMU" -max_total_time="$seconds" -max_len=8192 -len_control=0 -timeout="$(python3 Tests/Runners/pace.py 20)" \
  -rss_limit_mb=4096 -print_final_stats=1 -artifact_prefix="$scratch/" "$scratch/found" "$scratch/random"
