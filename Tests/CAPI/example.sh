#!/bin/sh
# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0

# example.sh FILE FLAGS COMPILER... - compiles a C file as it stands, by each compiler, as C11 and as C++17, with all
# warnings as errors.
set -eu

file=$1 flags=$2
shift 2
warnings="-Wall -Wextra -Wpedantic -Wconversion -Werror"
# shellcheck disable=SC2086 # lists of options on purpose
for compiler in "$@"; do
  "$compiler" $warnings -std=c11 $flags -fsyntax-only "$file"
  "$compiler" $warnings -x c++ -std=c++17 $flags -fsyntax-only "$file"
done
