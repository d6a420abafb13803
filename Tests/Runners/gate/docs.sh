#!/bin/bash
# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0

# docs.sh SWIFT DOCC OUTPUT MODULE... - the reference of each module as a site in OUTPUT/MODULE.
# A broken link or any other warning is an error; but a comment may name one parameter and leave out
# those that their names tell enough of.
set -euo pipefail
swift=$1 docc=$2 output=$3
shift 3

# The compiler writes the symbol graphs as it builds; a scratch path of its own keeps its flags out of
# the other builds. Old graphs go: what is up to date isn't compiled again, so the modules go too.
scratch=.build-docs
rm -rf "$scratch"
mkdir -p "$scratch/all"
for module in "$@"; do
  "$swift" build --build-system native --scratch-path "$scratch" --target "$module" \
    -Xswiftc -emit-symbol-graph -Xswiftc -emit-symbol-graph-dir -Xswiftc "$PWD/$scratch/all" \
    -Xswiftc -symbol-graph-minimum-access-level -Xswiftc public
done

rm -rf "$output"
mkdir -p "$output"
for module in "$@"; do
  graphs=$scratch/graphs/$module
  mkdir -p "$graphs"
  # With the module itself come its extensions of others, Module@Other.symbols.json.
  find "$scratch/all" -name "$module.symbols.json" -exec cp {} "$graphs" \;
  find "$scratch/all" -name "$module@*.symbols.json" -exec cp {} "$graphs" \;
  [ -f "$graphs/$module.symbols.json" ] || { echo "no symbol graph of $module" >&2; exit 1; }
  catalog=Sources/$module/$module.docc
  catalogs=()
  if [ -d "$catalog" ]; then catalogs=("$catalog"); fi
  "$docc" convert "${catalogs[@]}" --additional-symbol-graph-dir "$graphs" \
    --fallback-display-name "$module" --fallback-bundle-identifier "org.portcullis.$module" \
    --output-path "$output/$module" --warnings-as-errors \
    --disable-parameters-and-returns-validation
  echo "$output/$module"
done
