// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// The part of <string.h> that libfdt uses. Semantics are those of ISO C (strnlen: POSIX).

#pragma once

#include <stddef.h>

void *memset(void *destination, int byte, size_t count);
void *memcpy(void *restrict destination, const void *restrict source, size_t count);
void *memmove(void *destination, const void *source, size_t count);
int memcmp(const void *left, const void *right, size_t count);
void *memchr(const void *bytes, int byte, size_t count);
size_t strlen(const char *string);
size_t strnlen(const char *string, size_t limit);
char *strchr(const char *string, int character);
char *strrchr(const char *string, int character);
int strcmp(const char *left, const char *right);
int strncmp(const char *left, const char *right, size_t limit);
