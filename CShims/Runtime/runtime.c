// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

#include "CRuntime.h"

#if defined(__aarch64__) && !defined(__linux__)

#include <limits.h>
#include <stdint.h>

#include "libc/stdlib.h"
#include "libc/string.h"

// Without this a compiler may see the loop of memset as a memset, and the function would call itself.
#define PLAIN_LOOP __attribute__((no_builtin, used))

// Every loop moves single bytes while a pointer isn't aligned and doublewords where it can: early boot
// runs with the MMU off, where memory is Device memory and an unaligned access faults. Code generation
// is held to the same rule by -mstrict-align.

typedef uint64_t __attribute__((may_alias)) Word;

static inline int aligned(uintptr_t address) { return (address & (sizeof(Word) - 1)) == 0; }

PLAIN_LOOP void *memset(void *destination, int byte, size_t count) {
  unsigned char *to = destination;
  while (count != 0 && !aligned((uintptr_t)to)) {
    *to++ = (unsigned char)byte;
    count--;
  }
  const uint64_t word = (unsigned char)byte * UINT64_C(0x0101010101010101);
  for (; count >= sizeof(Word); count -= sizeof(Word), to += sizeof(Word)) *(Word *)(void *)to = word;
  for (; count != 0; count--) *to++ = (unsigned char)byte;
  return destination;
}

// Whether one reaches a doubleword at the same time as the other.
static inline int alike(const unsigned char *to, const unsigned char *from) {
  return aligned((uintptr_t)to ^ (uintptr_t)from);
}

// Also serves overlapping buffers whose destination is the lower one: it only moves upwards, and of four doublewords
// each is read before that one is written.
static inline __attribute__((always_inline)) void copyUpwards(
    unsigned char *to, const unsigned char *from, size_t count) {
  if (alike(to, from)) {
    while (count != 0 && !aligned((uintptr_t)to)) {
      *to++ = *from++;
      count--;
    }
    for (; count >= 4 * sizeof(Word); count -= 4 * sizeof(Word), to += 4 * sizeof(Word), from += 4 * sizeof(Word)) {
      Word *const words = (Word *)(void *)to;
      const Word *const source = (const Word *)(const void *)from;
      words[0] = source[0];
      words[1] = source[1];
      words[2] = source[2];
      words[3] = source[3];
    }
    for (; count >= sizeof(Word); count -= sizeof(Word), to += sizeof(Word), from += sizeof(Word))
      *(Word *)(void *)to = *(const Word *)(const void *)from;
  }
  for (; count != 0; count--) *to++ = *from++;
}

PLAIN_LOOP void *memcpy(void *restrict destination, const void *restrict source, size_t count) {
  copyUpwards(destination, source, count);
  return destination;
}

PLAIN_LOOP void *memmove(void *destination, const void *source, size_t count) {
  unsigned char *to = destination;
  const unsigned char *from = source;
  // One comparison tells an overlap that an upward copy would destroy from every other case.
  if ((uintptr_t)to - (uintptr_t)from >= count) {
    copyUpwards(to, from, count);
  } else {
    if (alike(to, from)) {
      for (; count != 0 && !aligned((uintptr_t)to + count); count--) to[count - 1] = from[count - 1];
      for (; count >= sizeof(Word); count -= sizeof(Word))
        *(Word *)(void *)(to + count - sizeof(Word)) = *(const Word *)(const void *)(from + count - sizeof(Word));
    }
    for (; count != 0; count--) to[count - 1] = from[count - 1];
  }
  return destination;
}

PLAIN_LOOP int memcmp(const void *left, const void *right, size_t count) {
  const unsigned char *a = left;
  const unsigned char *b = right;
  for (; count != 0; count--, a++, b++)
    if (*a != *b) return *a < *b ? -1 : 1;
  return 0;
}

PLAIN_LOOP void *memchr(const void *bytes, int byte, size_t count) {
  const unsigned char *from = bytes;
  for (; count != 0; count--, from++)
    if (*from == (unsigned char)byte) return (void *)(uintptr_t)from;
  return NULL;
}

PLAIN_LOOP size_t strnlen(const char *string, size_t limit) {
  size_t length = 0;
  while (length < limit && string[length] != '\0') length++;
  return length;
}

PLAIN_LOOP size_t strlen(const char *string) {
  size_t length = 0;
  while (string[length] != '\0') length++;
  return length;
}

PLAIN_LOOP char *strchr(const char *string, int character) {
  for (;; string++) {
    if (*string == (char)character) return (char *)(uintptr_t)string;
    if (*string == '\0') return NULL;
  }
}

PLAIN_LOOP char *strrchr(const char *string, int character) {
  const char *last = NULL;
  for (;; string++) {
    if (*string == (char)character) last = string;
    if (*string == '\0') return (char *)(uintptr_t)last;
  }
}

PLAIN_LOOP int strncmp(const char *left, const char *right, size_t limit) {
  for (; limit != 0; limit--, left++, right++) {
    const unsigned char a = (unsigned char)*left;
    const unsigned char b = (unsigned char)*right;
    if (a != b) return a < b ? -1 : 1;
    if (a == 0) return 0;
  }
  return 0;
}

PLAIN_LOOP int strcmp(const char *left, const char *right) { return strncmp(left, right, SIZE_MAX); }

// The value of a digit in bases up to 36; 36 for what is no digit.
static unsigned digitValue(char character) {
  if (character >= '0' && character <= '9') return (unsigned)(character - '0');
  if (character >= 'a' && character <= 'z') return (unsigned)(character - 'a') + 10;
  if (character >= 'A' && character <= 'Z') return (unsigned)(character - 'A') + 10;
  return 36;
}

PLAIN_LOOP unsigned long strtoul(const char *restrict string, char **restrict end, int base) {
  const char *at = string;
  while (*at == ' ' || (*at >= '\t' && *at <= '\r')) at++;
  const int negative = *at == '-';
  if (*at == '-' || *at == '+') at++;

  // A prefix counts only where a digit follows it: of "0xg" the number is the 0.
  if ((base == 0 || base == 16) && at[0] == '0' && (at[1] == 'x' || at[1] == 'X')
      && digitValue(at[2]) < 16) {
    at += 2;
    base = 16;
  } else if (base == 0) {
    base = *at == '0' ? 8 : 10;
  }

  unsigned long value = 0;
  int digits = 0;
  int overflow = base < 2 || base > 36;
  if (!overflow) {
    for (; digitValue(*at) < (unsigned)base; at++, digits = 1) {
      if (__builtin_mul_overflow(value, (unsigned long)base, &value)) overflow = 1;
      if (__builtin_add_overflow(value, (unsigned long)digitValue(*at), &value)) overflow = 1;
    }
  }
  if (end != NULL) *end = (char *)(uintptr_t)(digits ? at : string);
  if (!digits) return 0;
  if (overflow) return ULONG_MAX;
  return negative ? 0 - value : value;
}

// libfdt as Debian ships it was compiled with stack protection and compares this value on return. It
// is a constant: it finds a bug of ours, it doesn't withstand an attacker.
__attribute__((used)) const uintptr_t __stack_chk_guard = UINT64_C(0x00ff0a0d5a3c96e1);

__attribute__((used, noreturn)) void __stack_chk_fail(void) {
  // A breakpoint exception at the own exception level: the vectors report it and stop.
  __builtin_trap();
}

#endif
