// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

#include "CFdt.h"

#include <libfdt.h>

_Static_assert(CFDT_NOT_FOUND == -FDT_ERR_NOTFOUND, "not found");
_Static_assert(CFDT_NO_SPACE == -FDT_ERR_NOSPACE, "no space");

static struct cfdt_bytes bytes_at(const void *blob, const void *start, int length) {
    if (!start)
        return (struct cfdt_bytes){length < 0 ? length : -FDT_ERR_INTERNAL, 0};
    return (struct cfdt_bytes){(int32_t)((const char *)start - (const char *)blob), length};
}

int32_t cfdt_check(const void *blob, size_t size) {
    // libfdt reads the header without asking whether there is one.
    if (size < sizeof(struct fdt_header))
        return -FDT_ERR_TRUNCATED;
    // Before version 17 the header has no size of the structure block, and libfdt 1.6 then walks
    // beyond the end of the blob.
    if (fdt_magic(blob) == FDT_MAGIC && fdt_version(blob) < 17)
        return -FDT_ERR_BADVERSION;
    return fdt_check_full(blob, size);
}

uint32_t cfdt_total_size(const void *blob) { return fdt_totalsize(blob); }

struct cfdt_node cfdt_next_node(const void *blob, int32_t offset, int32_t depth) {
    int level = depth;
    int next = fdt_next_node(blob, offset, &level);
    return (struct cfdt_node){next, level};
}

struct cfdt_bytes cfdt_node_name(const void *blob, int32_t node) {
    int length = 0;
    const char *name = fdt_get_name(blob, node, &length);
    return bytes_at(blob, name, length);
}

int32_t cfdt_find_path(const void *blob, const char *path, int32_t length) {
    // A path that begins otherwise is an alias, and libfdt 1.6 follows a chain of aliases by
    // recursion without a bound.
    if (length < 1 || path[0] != '/')
        return -FDT_ERR_BADPATH;
    return fdt_path_offset_namelen(blob, path, length);
}

int32_t cfdt_first_property(const void *blob, int32_t node) {
    return fdt_first_property_offset(blob, node);
}

int32_t cfdt_next_property(const void *blob, int32_t property) {
    return fdt_next_property_offset(blob, property);
}

struct cfdt_property cfdt_property_at(const void *blob, int32_t property) {
    struct cfdt_property found;
    int length = 0, name_length = 0;
    const struct fdt_property *entry = fdt_get_property_by_offset(blob, property, &length);
    if (!entry) {
        found.name = found.value = bytes_at(blob, NULL, length);
        return found;
    }
    const char *name = fdt_get_string(blob, (int)fdt32_ld(&entry->nameoff), &name_length);
    found.name = bytes_at(blob, name, name_length);
    found.value = bytes_at(blob, entry->data, length);
    return found;
}

struct cfdt_bytes cfdt_property_named(const void *blob, int32_t node, const char *name,
                                      int32_t length) {
    int value_length = 0;
    const void *value = fdt_getprop_namelen(blob, node, name, length, &value_length);
    return bytes_at(blob, value, value_length);
}

int32_t cfdt_reservation_count(const void *blob) { return fdt_num_mem_rsv(blob); }

struct cfdt_reservation cfdt_reservation_at(const void *blob, int32_t index) {
    struct cfdt_reservation entry = {0, 0, 0};
    entry.status = fdt_get_mem_rsv(blob, index, &entry.address, &entry.size);
    return entry;
}

int32_t cfdt_open_into(const void *blob, void *buffer, size_t size) {
    return fdt_open_into(blob, buffer, size > INT32_MAX ? INT32_MAX : (int)size);
}

int32_t cfdt_pack(void *blob) { return fdt_pack(blob); }

struct cfdt_bytes cfdt_make_property(void *blob, int32_t node, const char *name, int32_t length) {
    void *value = NULL;
    int status = fdt_setprop_placeholder(blob, node, name, length, &value);
    if (status < 0)
        return (struct cfdt_bytes){status, 0};
    return bytes_at(blob, value, length);
}

int32_t cfdt_delete_property(void *blob, int32_t node, const char *name) {
    return fdt_delprop(blob, node, name);
}

int32_t cfdt_delete_node(void *blob, int32_t node) { return fdt_del_node(blob, node); }

int32_t cfdt_add_chosen(void *blob) {
    return fdt_add_subnode(blob, 0, "chosen");
}
