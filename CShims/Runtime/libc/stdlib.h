// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// The part of <stdlib.h> that libfdt uses.

#pragma once

#include <stddef.h>

/// As ISO C, but without errno: a value that doesn't fit is ULONG_MAX and nothing else tells it.
unsigned long strtoul(const char *restrict string, char **restrict end, int base);
