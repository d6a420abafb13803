// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/* Where the board has its ITS and its Redistributors: by the device tree, or by the MADT of ACPI. */

#include "hostile.h"

#include <linux/acpi.h>
#include <linux/of_address.h>

/* Structures of the MADT, and where in them their address is. */
enum { GICR = 0xe, GICR_ADDRESS = 4, GITS = 0xf, GITS_ADDRESS = 8 };

static u64 by_tree(const char *compatible, int number) {
    struct device_node *node = of_find_compatible_node(NULL, NULL, compatible);
    const __be32 *address = node ? of_get_address(node, number, NULL, NULL) : NULL;

    return address ? of_translate_address(node, address) : 0;
}

static u64 by_table(u8 type, unsigned int place) {
    struct acpi_table_header *table;
    const u8 *at, *end;
    u64 address = 0;

    if (acpi_disabled || ACPI_FAILURE(acpi_get_table(ACPI_SIG_MADT, 0, &table)))
        return 0;
    end = (const u8 *)table + table->length;
    for (at = (const u8 *)table + sizeof(struct acpi_table_madt); at + 2 < end && at[1] && !address; at += at[1])
        if (at[0] == type)
            memcpy(&address, at + place, sizeof(address));
    acpi_put_table(table);
    return address;
}

u64 address_of_its(void) {
    u64 address = by_tree("arm,gic-v3-its", 0);

    return address ? address : by_table(GITS, GITS_ADDRESS);
}

u64 address_of_redistributors(void) {
    u64 address = by_tree("arm,gic-v3", 1);

    return address ? address : by_table(GICR, GICR_ADDRESS);
}
