// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/*
 * kexec: has the kernel start another one in its place, from /kexec/kernel and /kexec/initramfs, with this
 * one's device tree and so with its words. Needs no C library. For a board with memory at 1 GiB.
 *
 * The exit status tells which step failed.
 */
#include <stdint.h>

enum { OPENAT = 56, READ = 63, REBOOT = 142, KEXEC_LOAD = 104, MMAP = 222, EXIT = 93 };
enum { CURRENT_DIRECTORY = -100, KEXEC_ARCH_AARCH64 = 183 << 16 };

/* Where the parts go once this kernel is gone. */
#define KERNEL_AT 0x50000000ul
#define RAMDISK_AT 0x58000000ul
#define TREE_AT 0x5c000000ul
#define ENTRY_AT 0x5c400000ul
/* Room for each of them here. */
#define KERNEL_SIZE 0x8000000ul
#define RAMDISK_SIZE 0x4000000ul
#define TREE_SIZE 0x200000ul
/* The largest of the kernel's page sizes, and so a multiple of each. */
#define PAGE 0x10000ul

struct segment {
    const void *source;
    unsigned long size;
    unsigned long target, room;
};

static long call(long number, unsigned long a, unsigned long b, unsigned long c, unsigned long d,
                 unsigned long e, unsigned long f) {
    register long x8 __asm__("x8") = number;
    register unsigned long x0 __asm__("x0") = a;
    register unsigned long x1 __asm__("x1") = b;
    register unsigned long x2 __asm__("x2") = c;
    register unsigned long x3 __asm__("x3") = d;
    register unsigned long x4 __asm__("x4") = e;
    register unsigned long x5 __asm__("x5") = f;
    __asm__ volatile("svc #0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return (long)x0;
}

static _Noreturn void fail(int status) {
    for (;;)
        call(EXIT, (unsigned long)status, 0, 0, 0, 0, 0);
}

/* Reads a file that is at most as long as `limit`. */
static struct segment load(const char *path, unsigned long target, unsigned long limit, int status) {
    /* Private, anonymous, to be read and written. */
    long memory = call(MMAP, 0, limit, 3, 0x22, ~0ul, 0);
    long file = call(OPENAT, (unsigned long)CURRENT_DIRECTORY, (unsigned long)path, 0, 0, 0, 0);
    struct segment segment = {(const void *)memory, 0, target, 0};
    long count = 1;

    if (memory < 0 || file < 0)
        fail(status);
    while (count > 0 && segment.size < limit) {
        count = call(READ, (unsigned long)file, (unsigned long)memory + segment.size,
                     limit - segment.size, 0, 0, 0);
        if (count < 0)
            fail(status);
        segment.size += (unsigned long)count;
    }
    if (segment.size == 0 || segment.size == limit)
        fail(status);
    segment.room = (segment.size + PAGE - 1) & ~(PAGE - 1);
    return segment;
}

static uint32_t word(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int is_equal(const char *left, const char *right) {
    while (*left && *left == *right)
        left++, right++;
    return *left == *right;
}

static void set_word(uint8_t *at, uint32_t value) {
    for (int byte = 0; byte < 4; byte++)
        at[byte] = (uint8_t)(value >> 8 * (3 - byte));
}

/* Where the size of the first property of this name is, or what follows the name of such a node; 0 if nowhere. */
static uint8_t *find(uint8_t *tree, const char *name, int is_node) {
    const char *strings = (const char *)tree + word(tree + 12);
    uint8_t *at = tree + word(tree + 8);

    for (;;) {
        uint32_t token = word(at);
        at += 4;
        if (token == 1) { /* the begin of a node, and its name */
            const char *own = (const char *)at;
            while (*at)
                at++;
            at = (uint8_t *)(((uintptr_t)at + 4) & ~3ul);
            if (is_node && is_equal(own, name))
                return at;
        } else if (token == 3) { /* a property: its size, its name, its value */
            if (!is_node && is_equal(strings + word(at + 4), name))
                return at;
            at += 8 + ((word(at) + 3) & ~3u);
        } else if (token == 9) {
            return 0;
        }
    }
}

/* Adds a property of 8 bytes to /chosen; the strings are the last part of the tree. */
static uint8_t *add(uint8_t *tree, const char *name) {
    enum { ADDED = 20 };
    uint8_t *at = find(tree, "chosen", 1);
    uint32_t strings = word(tree + 12), end = strings + word(tree + 32), length = 0;

    if (!at || strings < word(tree + 8))
        return 0;
    for (uint8_t *from = tree + end; from > at; from--)
        from[ADDED - 1] = from[-1];
    do
        tree[end + ADDED + length] = (uint8_t)name[length];
    while (name[length++]);
    set_word(at, 3);
    set_word(at + 4, 8);
    set_word(at + 8, end - strings);
    set_word(tree + 12, strings + ADDED);
    set_word(tree + 32, end - strings + length);
    set_word(tree + 36, word(tree + 36) + ADDED);
    if (word(tree + 4) < end + ADDED + length)
        set_word(tree + 4, end + ADDED + length);
    return at + 4;
}

/* Sets a number of 4 or 8 bytes of /chosen, which UEFI leaves out. */
static int set(uint8_t *tree, const char *name, uint64_t value) {
    uint8_t *at = find(tree, name, 0);

    if (!at)
        at = add(tree, name);
    if (!at)
        return 0;
    uint32_t size = word(at);
    for (uint32_t byte = 0; byte < size; byte++)
        at[8 + byte] = (uint8_t)(value >> 8 * (size - 1 - byte));
    return 1;
}

/*
 * What runs first: x0 = the tree, x1 to x3 = 0, then the kernel. The MMU is off, and so all memory is Device
 * memory: what is loaded is aligned.
 */
static const uint32_t entry[] = {
    0x58000100, /* ldr x0, 0x20 */
    0xaa1f03e1, /* mov x1, xzr */
    0xaa1f03e2, /* mov x2, xzr */
    0xaa1f03e3, /* mov x3, xzr */
    0x580000c4, /* ldr x4, 0x28 */
    0xd61f0080, /* br x4 */
    0xd503201f, /* nop */
    0xd503201f, /* nop */
    (uint32_t)TREE_AT, 0, (uint32_t)KERNEL_AT, 0,
};

void _start(void) {
    struct segment segments[4];

    segments[0] = load("/kexec/kernel", KERNEL_AT, KERNEL_SIZE, 1);
    segments[1] = load("/kexec/initramfs", RAMDISK_AT, RAMDISK_SIZE, 2);
    segments[2] = load("/sys/firmware/fdt", TREE_AT, TREE_SIZE, 3);
    uint8_t *tree = (uint8_t *)(uintptr_t)segments[2].source;
    if (!set(tree, "linux,initrd-start", RAMDISK_AT) ||
        !set(tree, "linux,initrd-end", RAMDISK_AT + segments[1].size))
        fail(4);
    /* It may have grown. */
    segments[2].size = word(tree + 4);
    segments[2].room = (segments[2].size + PAGE - 1) & ~(PAGE - 1);
    segments[3] = (struct segment){entry, sizeof(entry), ENTRY_AT, PAGE};
    /* The image's zeroed memory, by its header, belongs to it. */
    segments[0].room = (((const uint64_t *)segments[0].source)[2] + PAGE - 1) & ~(PAGE - 1);
    if (call(KEXEC_LOAD, ENTRY_AT, 4, (unsigned long)segments, KEXEC_ARCH_AARCH64, 0, 0) < 0)
        fail(5);
    call(REBOOT, 0xfee1dead, 672274793, 0x45584543, 0, 0, 0);
    fail(6);
}
