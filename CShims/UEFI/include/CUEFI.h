// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/*
 * What the EL2 image's application needs of UEFI (version 2.10): tables of functions, of which those in use have a
 * type, and one function for each call. Names are the specification's. Statuses are those of its appendix D.
 */
#pragma once

#if defined(__aarch64__) && !defined(__linux__)
#include <stddef.h>
#include <stdint.h>

typedef uint64_t efi_status;
typedef struct efi_guid {
    uint32_t data1;
    uint16_t data2, data3;
    uint8_t data4[8];
} efi_guid;

struct efi_text_output {
    void *reset;
    efi_status (*output_string)(struct efi_text_output *self, const uint16_t *string);
};

struct efi_boot_services {
    uint64_t header[3];
    void *raise_tpl, *restore_tpl;
    efi_status (*allocate_pages)(uint32_t how, uint32_t type, uint64_t pages, uint64_t *address);
    efi_status (*free_pages)(uint64_t address, uint64_t pages);
    efi_status (*get_memory_map)(uint64_t *size, void *map, uint64_t *key, uint64_t *descriptor_size,
                                 uint32_t *version);
    void *allocate_pool, *free_pool;
    void *create_event, *set_timer, *wait_for_event, *signal_event, *close_event, *check_event;
    void *install_protocol, *reinstall_protocol, *uninstall_protocol;
    efi_status (*handle_protocol)(void *handle, const efi_guid *protocol, void **interface);
    void *reserved, *register_protocol_notify, *locate_handle, *locate_device_path;
    efi_status (*install_configuration_table)(const efi_guid *guid, void *table);
};

struct efi_configuration_table {
    efi_guid guid;
    void *table;
};

struct efi_system_table {
    uint64_t header[3];
    uint16_t *vendor;
    uint32_t revision;
    void *input_handle, *input;
    void *output_handle;
    struct efi_text_output *output;
    void *error_handle;
    struct efi_text_output *error;
    void *runtime;
    struct efi_boot_services *boot;
    uint64_t table_count;
    struct efi_configuration_table *tables;
};

struct efi_loaded_image {
    uint32_t revision;
    void *parent;
    struct efi_system_table *system;
    void *device;
    const uint8_t *path;
    void *reserved;
    uint32_t options_size;
    const void *options;
    void *base;
    uint64_t size;
};

struct efi_file {
    uint64_t revision;
    efi_status (*open)(struct efi_file *self, struct efi_file **file, const uint16_t *name, uint64_t mode,
                       uint64_t attributes);
    efi_status (*close)(struct efi_file *self);
    void *delete_file;
    efi_status (*read)(struct efi_file *self, uint64_t *size, void *buffer);
};

struct efi_file_system {
    uint64_t revision;
    efi_status (*open_volume)(struct efi_file_system *self, struct efi_file **root);
};

enum {
    EFI_ALLOCATE_ANY_PAGES = 0,
    EFI_ALLOCATE_MAX_ADDRESS = 1,
    EFI_RESERVED_MEMORY = 0,
    EFI_LOADER_DATA = 2,
    EFI_ACPI_RECLAIM_MEMORY = 9,
};

static const efi_status efi_success = 0;
static const efi_status efi_load_error = 1 | 1ull << 63;
static const efi_status efi_unsupported = 3 | 1ull << 63;
static const efi_status efi_out_of_resources = 9 | 1ull << 63;
static const efi_status efi_already_started = 20 | 1ull << 63;

/* Prints bytes of ASCII. */
static inline void efi_print(struct efi_system_table *system, const uint8_t *text, size_t count) {
    uint16_t string[65];
    while (count > 0) {
        size_t part = count < 64 ? count : 64;
        for (size_t index = 0; index < part; index++)
            string[index] = text[index];
        string[part] = 0;
        system->output->output_string(system->output, string);
        text += part;
        count -= part;
    }
}

/* Whole pages of 4 KiB that end at `limit` or below; 0 where there are none. */
static inline uint64_t efi_allocate(struct efi_system_table *system, uint32_t type, uint64_t pages, uint64_t limit) {
    uint64_t address = limit;
    efi_status status = system->boot->allocate_pages(EFI_ALLOCATE_MAX_ADDRESS, type, pages, &address);
    return status == efi_success ? address : 0;
}

static inline void efi_free(struct efi_system_table *system, uint64_t address, uint64_t pages) {
    if (pages > 0)
        system->boot->free_pages(address, pages);
}

/* The memory map into `size` bytes at `buffer`; the bytes that it has, or 0 where there is no room. */
static inline uint64_t efi_memory_map(struct efi_system_table *system, uint64_t buffer, uint64_t size,
                                      uint64_t *descriptor_size) {
    uint64_t key = 0;
    uint32_t version = 0;
    efi_status status = system->boot->get_memory_map(&size, (void *)buffer, &key, descriptor_size, &version);
    return status == efi_success ? size : 0;
}

/* The configuration tables that the application looks for. */
enum efi_table { EFI_TABLE_DEVICE_TREE, EFI_TABLE_ACPI, EFI_TABLE_PORTCULLIS };

static inline efi_guid efi_table_guid(enum efi_table which) {
    switch (which) {
    case EFI_TABLE_DEVICE_TREE: /* EFI_DTB_TABLE_GUID */
        return (efi_guid){0xb1b621d5, 0xf19c, 0x41a5, {0x83, 0x0b, 0xd9, 0x15, 0x2c, 0x69, 0xaa, 0xe0}};
    case EFI_TABLE_ACPI: /* EFI_ACPI_20_TABLE_GUID */
        return (efi_guid){0x8868e871, 0xe4f1, 0x11d3, {0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81}};
    default: /* Portcullis's own: it is there already. */
        return (efi_guid){0x7c2e5043, 0x9a51, 0x4b0e, {0x8d, 0x36, 0x5f, 0x0c, 0x1e, 0x94, 0xb7, 0x2a}};
    }
}

static inline int efi_guid_equal(const efi_guid *one, const efi_guid *other) {
    const uint32_t *left = (const uint32_t *)one, *right = (const uint32_t *)other;
    return left[0] == right[0] && left[1] == right[1] && left[2] == right[2] && left[3] == right[3];
}

/* A configuration table's address; 0 where there is no such. */
static inline uint64_t efi_find_table(struct efi_system_table *system, enum efi_table which) {
    efi_guid guid = efi_table_guid(which);
    for (uint64_t index = 0; index < system->table_count; index++)
        if (efi_guid_equal(&system->tables[index].guid, &guid))
            return (uint64_t)system->tables[index].table;
    return 0;
}

static inline void efi_install_table(struct efi_system_table *system, enum efi_table which, uint64_t address) {
    efi_guid guid = efi_table_guid(which);
    system->boot->install_configuration_table(&guid, (void *)address);
}

/* The interface of a protocol; NULL where the handle has none. */
static inline void *efi_interface(struct efi_system_table *system, void *handle, efi_guid protocol) {
    void *interface = NULL;
    return system->boot->handle_protocol(handle, &protocol, &interface) == efi_success ? interface : NULL;
}

/* What the firmware knows of the application. */
static inline struct efi_loaded_image *efi_image(struct efi_system_table *system, void *handle) {
    const efi_guid loaded_image = {0x5b1b31a1, 0x9562, 0x11d2, {0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}};
    return efi_interface(system, handle, loaded_image);
}

/* Reads the file portcullis.cfg beside the application; the bytes that it has, at most `size`, or 0. */
uint64_t efi_read_options(struct efi_system_table *system, struct efi_loaded_image *image, uint64_t buffer,
                          uint64_t size);
#endif
