// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// libfdt behind a narrow interface: a blob and offsets go in; offsets, lengths and libfdt's negative
// error codes come out. No pointer into the blob is ever returned, so that the only bytes Swift
// reads are those that it has checked to lie inside the blob.

#pragma once

#include <stddef.h>
#include <stdint.h>

/// What libfdt answers when something is not there; the end of a list, too.
#define CFDT_NOT_FOUND (-1)
/// What libfdt answers when the buffer that a tree is edited in is too small.
#define CFDT_NO_SPACE (-3)

/// Where a node is, and how deep.
struct cfdt_node {
    /// Offset in the structure block, or a negative error.
    int32_t offset;
    /// Depth: the root has 0.
    int32_t depth;
};

/// Bytes of a blob, counted from its first byte.
struct cfdt_bytes {
    /// Offset from the start of the blob, or a negative error.
    int32_t offset;
    /// Length in bytes.
    int32_t length;
};

/// A property: its name and its value.
struct cfdt_property {
    /// The name, without the terminating zero.
    struct cfdt_bytes name;
    /// The value.
    struct cfdt_bytes value;
};

/// An entry of the memory reservation block.
struct cfdt_reservation {
    /// The first address.
    uint64_t address;
    /// The size in bytes.
    uint64_t size;
    /// 0, or a negative error.
    int32_t status;
};

/// Checks a whole blob that lies in `size` bytes: 0 or a negative error.
int32_t cfdt_check(const void *blob, size_t size);
/// The size that the header of a checked blob states.
uint32_t cfdt_total_size(const void *blob);

/// The node after `offset` in the order of the blob; depth is relative as in `fdt_next_node`.
struct cfdt_node cfdt_next_node(const void *blob, int32_t offset, int32_t depth);
/// The name of a node, with its unit address.
struct cfdt_bytes cfdt_node_name(const void *blob, int32_t node);
/// The node with the absolute path of `length` bytes; aliases are not resolved.
int32_t cfdt_find_path(const void *blob, const char *path, int32_t length);

/// Offset of the first property of a node, or a negative error.
int32_t cfdt_first_property(const void *blob, int32_t node);
/// Offset of the property after `property`, or a negative error.
int32_t cfdt_next_property(const void *blob, int32_t property);
/// The property at an offset.
struct cfdt_property cfdt_property_at(const void *blob, int32_t property);
/// The value of the property of `node` with that name.
struct cfdt_bytes cfdt_property_named(const void *blob, int32_t node, const char *name,
                                      int32_t length);

/// How many entries the memory reservation block has, or a negative error.
int32_t cfdt_reservation_count(const void *blob);
/// The entry `index` of the memory reservation block.
struct cfdt_reservation cfdt_reservation_at(const void *blob, int32_t index);

/// Copies a checked blob into `buffer`, ready to be edited.
int32_t cfdt_open_into(const void *blob, void *buffer, size_t size);
/// Gives the free space back after editing.
int32_t cfdt_pack(void *blob);
/// Makes the property `name` (terminated) of `length` bytes; answers where its value begins.
struct cfdt_bytes cfdt_make_property(void *blob, int32_t node, const char *name, int32_t length);
/// Removes the property `name` (terminated).
int32_t cfdt_delete_property(void *blob, int32_t node, const char *name);
/// Removes a node with everything below it.
int32_t cfdt_delete_node(void *blob, int32_t node);
/// Adds `/chosen`; answers its offset.
int32_t cfdt_add_chosen(void *blob);
