#!/bin/bash
# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0

# docs.sh SWIFT DOCC OUTPUT MODULE... - the reference of each module as a site in OUTPUT/MODULE.
# A broken link or any other warning is an error.
set -euo pipefail
swift=$1 docc=$2 output=$3
shift 3

# A scratch path of its own: without coverage's flags everything would be built anew each time.
scratch=.build-docs
"$swift" package --scratch-path "$scratch" dump-symbol-graph --minimum-access-level public \
  >/dev/null
rm -rf "$output"
mkdir -p "$output"
for module in "$@"; do
  graphs=$scratch/graphs/$module
  rm -rf "$graphs"
  mkdir -p "$graphs"
  # With the module itself come its extensions of others, Module@Other.symbols.json.
  find -L "$scratch" -path "*/symbolgraph/$module*.symbols.json" \
    \( -name "$module.symbols.json" -o -name "$module@*" \) -exec cp {} "$graphs" \;
  [ -f "$graphs/$module.symbols.json" ] || { echo "no symbol graph of $module" >&2; exit 1; }
  catalog=Sources/$module/$module.docc
  catalogs=()
  if [ -d "$catalog" ]; then catalogs=("$catalog"); fi
  "$docc" convert "${catalogs[@]}" --additional-symbol-graph-dir "$graphs" \
    --fallback-display-name "$module" --fallback-bundle-identifier "org.portcullis.$module" \
    --output-path "$output/$module" --warnings-as-errors
  echo "$output/$module"
done
