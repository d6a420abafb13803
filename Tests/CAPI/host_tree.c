// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// The device tree that a host gets.

#include "host_tree.h"
#include "machine.h"

#include <libfdt.h>
#include <string.h>

static _Alignas(8) unsigned char written[0x12000];
static size_t size;

static enum portcullis_status write_tree(const struct portcullis_pages *withheld, size_t count) {
    memset(written, 0xa5, sizeof written);
    size = 7;
    return portcullis_write_host_tree(&config, withheld, count, written, sizeof written, &size);
}

// Whether a node of the tree that was written is disabled.
static int is_disabled(const char *path) {
    int node = fdt_path_offset(written, path);
    const char *status = node < 0 ? NULL : fdt_getprop(written, node, "status", NULL);
    return status && strcmp(status, "disabled") == 0;
}

// The memory of the tree that was written, in ranges of a base and a size.
static int memory_of(uint64_t ranges[16]) {
    int length = 0, node = fdt_node_offset_by_prop_value(written, -1, "device_type", "memory", 7);
    const fdt64_t *cells = node < 0 ? NULL : fdt_getprop(written, node, "reg", &length);
    for (int index = 0; index < length / 8 && index < 16; index++) ranges[index] = fdt64_to_cpu(cells[index]);
    return length / 16;
}

static int leave_second(void *context, uint64_t control_frame) {
    (void)context;
    return control_frame == UINT64_C(0x1008080000);
}

static uint64_t somewhere(void *context, uint64_t address) { return (void)context, address + 0x1000; }

static void test_memory(void) {
    static const struct portcullis_pages withheld[] = {{0x90000000, 0x1000}, {0x80000000, 0x2000}};
    uint64_t ranges[16] = {0};
    prepare("one-its.dtb");
    config.trace = (struct portcullis_pages){0xa0000000, 0x10000};
    enum portcullis_status status = write_tree(withheld, 2);
    int count = memory_of(ranges);
    // One range of 1 GiB is cut at its start and in its middle three times: by what is named, the pool, and the trace.
    const uint64_t due[] = {0x80002000, POOL_BASE - 0x80002000, POOL_BASE + POOL_BYTES, 0x90000000 - POOL_BASE - POOL_BYTES,
                            0x90001000, 0xffff000, 0xa0010000, 0x1fff0000};
    check(status == PORTCULLIS_OK && fdt_check_full(written, size) == 0 && count == 4 && memcmp(ranges, due, sizeof due) == 0,
          "host's tree: memory is without what is withheld, the pool and the trace: %d ranges", count);
    check(size == fdt_totalsize(written) && written[size] == 0xa5 && written[size - 1] != 0xa5, "host's tree: its size is told");
    config.pool.bytes = config.trace.bytes = 0;
    check(write_tree(NULL, 0) == PORTCULLIS_OK && memory_of(ranges) == 1 && ranges[0] == 0x80000000 && ranges[1] == 0x40000000,
          "host's tree: without any all memory stays");
}

static void test_nodes(void) {
    prepare("two-its.dtb");
    write_tree(NULL, 0);
    int node = fdt_node_offset_by_compatible(written, -1, "arm,gic-v3-its");
    int found = 0, disabled = 0;
    for (; node >= 0; node = fdt_node_offset_by_compatible(written, node, "arm,gic-v3-its")) {
        found++;
        disabled += fdt_getprop(written, node, "status", NULL) != NULL;
    }
    check(found == 2 && disabled == 0, "host's tree: both ITSes are there");
    config.leave_out = leave_second;
    write_tree(NULL, 0);
    found = disabled = 0;
    node = fdt_node_offset_by_compatible(written, -1, "arm,gic-v3-its");
    for (; node >= 0; node = fdt_node_offset_by_compatible(written, node, "arm,gic-v3-its")) {
        char path[128];
        fdt_get_path(written, node, path, sizeof path);
        found++;
        if (is_disabled(path)) disabled += strstr(path, "8080000") && strstr(path, "100") ? 1 : 100;
    }
    check(found == 2 && disabled == 1, "host's tree: an ITS that is left out is disabled, and no other: %d", disabled);

    prepare("dma-platform.dtb");
    for (uint32_t policy = 0; policy <= PORTCULLIS_POLICY_CLAIM_MASTERS; policy += PORTCULLIS_POLICY_CLAIM_MASTERS) {
        struct portcullis_board board = {.size = sizeof board};
        config.policy = policy;
        portcullis_board_from_tree(tree, config.tree_size, 4096, policy, &ops, &board);
        check(write_tree(NULL, 0) == PORTCULLIS_OK, "host's tree: of a board with masters, policy %u", policy);
        int wrong = 0, claimed = 0;
        // Whoever has registers that are claimed is disabled, and nobody else is that was not before.
        for (int at = 0; at >= 0; at = fdt_next_node(written, at, NULL)) {
            char path[256];
            uint32_t base = 0;
            fdt_get_path(written, at, path, sizeof path);
            const char *address = strrchr(path, '@');
            for (const char *digit = address ? address + 1 : ""; *digit; digit++)
                base = base << 4 | (uint32_t)(*digit >= 'a' ? *digit - 'a' + 10 : *digit - '0');
            if (strncmp(path, "/soc/", 5) == 0) base += 0xb000000;  // by its ranges
            int is_claimed = 0;
            for (uint32_t index = 0; address && index < board.masters_count; index++)
                is_claimed |= base - board.masters[index].base < board.masters[index].bytes;
            const char *before = fdt_getprop(tree, fdt_path_offset(tree, path), "status", NULL);
            const int was = before && strcmp(before, "disabled") == 0;
            claimed += is_claimed;
            wrong += is_disabled(path) != (was || is_claimed);
        }
        check(wrong == 0 && (claimed > 0) == (policy != 0), "host's tree: masters are disabled whose registers are claimed, %d, and no others",
              claimed);
    }
}

static void test_errors(void) {
    static const struct portcullis_pages odd = {0x80000800, 0x1000}, wrapping = {~UINT64_C(0xfff), 0x2000};
    static struct portcullis_pages many[PORTCULLIS_WITHHELD_LIMIT + 1];
    for (uint64_t index = 0; index <= PORTCULLIS_WITHHELD_LIMIT; index++)
        many[index] = (struct portcullis_pages){0x80000000 + index * 0x2000, 0x1000};
    prepare("one-its.dtb");
    expect_status(write_tree(&odd, 1), PORTCULLIS_ERROR_ALIGNMENT, "host's tree: half a page is withheld");
    expect_status(write_tree(&wrapping, 1), PORTCULLIS_ERROR_RANGE, "host's tree: what wraps is withheld");
    expect_status(write_tree(many, PORTCULLIS_WITHHELD_LIMIT + 1), PORTCULLIS_ERROR_FULL, "host's tree: too much is withheld");
    expect_status(write_tree(many, PORTCULLIS_WITHHELD_LIMIT), PORTCULLIS_OK, "host's tree: as much as may be is withheld");
    expect_status(write_tree(NULL, 1), PORTCULLIS_ERROR_ARGUMENT, "host's tree: what is withheld is nowhere");
    size = 7;
    expect_status(portcullis_write_host_tree(&config, NULL, 0, written, 64, &size), PORTCULLIS_ERROR_MEMORY,
                  "host's tree: a buffer that is too small");
    expect_status(portcullis_write_host_tree(&config, NULL, 0, written + 4, sizeof written - 4, &size), PORTCULLIS_ERROR_ARGUMENT,
                  "host's tree: a buffer that is not aligned");
    expect_status(portcullis_write_host_tree(NULL, NULL, 0, written, sizeof written, &size), PORTCULLIS_ERROR_ARGUMENT,
                  "host's tree: no configuration");
    expect_status(portcullis_write_host_tree(&config, NULL, 0, NULL, sizeof written, &size), PORTCULLIS_ERROR_ARGUMENT,
                  "host's tree: no buffer");
    expect_status(portcullis_write_host_tree(&config, NULL, 0, written, sizeof written, NULL), PORTCULLIS_ERROR_ARGUMENT,
                  "host's tree: no place for the size");
    check(size == 7, "host's tree: an error tells no size");
    expect_status(write_tree(many, SIZE_MAX), PORTCULLIS_ERROR_FULL, "host's tree: more is withheld than there is");
    config.tree_size = SIZE_MAX;
    expect_status(write_tree(NULL, 0), PORTCULLIS_ERROR_ARGUMENT, "host's tree: of more bytes than there are");
    prepare("one-its.dtb");
    ops.host_physical = somewhere;
    expect_status(write_tree(NULL, 0), PORTCULLIS_ERROR_ARGUMENT, "host's tree: for a host with other addresses");
    prepare("one-its.dtb");
    config.version++;
    expect_status(write_tree(NULL, 0), PORTCULLIS_ERROR_VERSION, "host's tree: another version");
    prepare("one-its.dtb");
    tree[0] ^= 1;
    expect_status(write_tree(NULL, 0), PORTCULLIS_ERROR_TREE, "host's tree: of what is no tree");
    prepare("refused.dtb");
    expect_status(write_tree(NULL, 0), PORTCULLIS_ERROR_BOARD, "host's tree: of a board that is refused");
}

void test_host_tree(void) {
    test_memory();
    test_nodes();
    test_errors();
}
