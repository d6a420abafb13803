// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

#include "CHeap.h"

#if defined(__aarch64__) && !defined(__linux__)

#include <stdint.h>

// A free list for each power of two, filled from one piece of memory. Nobody allocates but with the lock of the
// comparison held, so that there is none here. Where no memory is left it ends: there is nothing to go on with.

enum { LEAST = 5, CLASSES = 22 };
#define HEAP_SIZE ((size_t)32 << 20)

// In front of each block, so that it stays aligned to 16.
struct header {
  uint64_t class;
  uint64_t padding;
};
struct block {
  struct header header;
  struct block *next;
};

static _Alignas(4096) unsigned char heap[HEAP_SIZE];
static size_t begun, used, most;
static struct block *lists[CLASSES];

int posix_memalign(void **result, size_t alignment, size_t size);
void free(void *pointer);
void arc4random_buf(void *buffer, size_t size);

int posix_memalign(void **result, size_t alignment, size_t size) {
  uint64_t class = LEAST;
  while (((size_t)1 << class) < size + sizeof(struct header)) class++;
  if (alignment > sizeof(struct header) || class - LEAST >= CLASSES) __builtin_trap();
  struct block *block = lists[class - LEAST];
  if (block != NULL) {
    lists[class - LEAST] = block->next;
  } else {
    if (HEAP_SIZE - begun < (size_t)1 << class) __builtin_trap();
    block = (struct block *)(void *)(heap + begun);
    begun += (size_t)1 << class;
    block->header.class = class;
  }
  used += (size_t)1 << class;
  if (used > most) most = used;
  *result = (unsigned char *)block + sizeof(struct header);
  return 0;
}

void free(void *pointer) {
  if (pointer == NULL) return;
  struct block *block = (struct block *)(void *)((unsigned char *)pointer - sizeof(struct header));
  uint64_t class = block->header.class;
  used -= (size_t)1 << class;
  block->next = lists[class - LEAST];
  lists[class - LEAST] = block;
}

// What seeds the hashes of sets: the same each time, so that a boot can be repeated.
void arc4random_buf(void *buffer, size_t size) {
  unsigned char *bytes = buffer;
  for (size_t index = 0; index < size; index++) bytes[index] = (unsigned char)(index * 37 + 11);
}

size_t pc_heap_used(void) { return used; }
size_t pc_heap_most(void) { return most; }

#endif
