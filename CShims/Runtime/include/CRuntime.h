// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// The pieces of a C library that the compiler and libfdt need where there is none.
//
// Nothing is declared here for Swift: the compiler emits the calls to mem* by itself, and C code finds
// its declarations in libc/, a folder of headers that only bare-metal builds put on the include path
// (-I CShims/Runtime/libc). On a hosted system this target is empty.

#pragma once
