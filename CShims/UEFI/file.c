// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

#include "CUEFI.h"

#if defined(__aarch64__) && !defined(__linux__)

/* The longest name of a file with its folder. */
#define NAME_LIMIT 256
#define FILE_MODE_READ 1

/* Device path nodes (UEFI 2.10, section 10.3): type, subtype, length, data. */
enum { MEDIA = 4, MEDIA_FILE_PATH = 4, END = 0x7f };

/* The name of the application's own file, as its device path tells; its length. */
static size_t application(const uint8_t *path, uint16_t *name) {
    size_t count = 0;
    while (path != NULL && path[0] != END) {
        size_t length = path[2] | (size_t)path[3] << 8;
        if (length < 4)
            break;
        if (path[0] == MEDIA && path[1] == MEDIA_FILE_PATH) {
            /* A path may come in parts. */
            if (count > 0 && name[count - 1] != '\\' && count < NAME_LIMIT)
                name[count++] = '\\';
            for (size_t place = 4; place + 1 < length && count < NAME_LIMIT; place += 2) {
                uint16_t character = (uint16_t)(path[place] | path[place + 1] << 8);
                if (character == 0)
                    break;
                name[count++] = character;
            }
        }
        path += length;
    }
    return count;
}

uint64_t efi_read_options(struct efi_system_table *system, struct efi_loaded_image *image, uint64_t buffer,
                          uint64_t size) {
    static const char file[] = "portcullis.cfg";
    const efi_guid simple_file_system = {
        0x964e5b22, 0x6459, 0x11d2, {0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}};
    uint16_t name[NAME_LIMIT + 32];
    size_t count = application(image->path, name);
    while (count > 0 && name[count - 1] != '\\')
        count--;
    for (size_t index = 0; index < sizeof file; index++)
        name[count++] = (uint8_t)file[index];

    struct efi_file_system *volume = efi_interface(system, image->device, simple_file_system);
    struct efi_file *root = NULL, *open = NULL;
    if (volume == NULL || volume->open_volume(volume, &root) != efi_success)
        return 0;
    if (root->open(root, &open, name, FILE_MODE_READ, 0) == efi_success) {
        if (open->read(open, &size, (void *)buffer) != efi_success)
            size = 0;
        open->close(open);
    } else {
        size = 0;
    }
    root->close(root);
    return size;
}

#endif
