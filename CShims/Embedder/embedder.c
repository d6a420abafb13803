// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

#include "portcullis.h"

// Texts and no pointers to them: an address in read-only data would need a relocation at run time where the embedder
// is position independent.
static const char texts[][72] = {
    [-PORTCULLIS_OK] = "done",
    [-PORTCULLIS_ERROR_ARGUMENT] = "an argument is null or has a value that is not allowed",
    [-PORTCULLIS_ERROR_STRUCT_SIZE] = "a struct is smaller than this library needs",
    [-PORTCULLIS_ERROR_MEMORY] = "the memory for the state is too small or not aligned",
    [-PORTCULLIS_ERROR_ORDER] = "the call does not come at this point",
    [-PORTCULLIS_ERROR_TREE] = "not a valid device tree",
    [-PORTCULLIS_ERROR_BOARD] = "the board cannot be protected",
    [-PORTCULLIS_ERROR_ALIGNMENT] = "a base or size is not aligned",
    [-PORTCULLIS_ERROR_RANGE] = "a range is empty or leaves the physical address space",
    [-PORTCULLIS_ERROR_OVERLAP] = "a region shares a page with another",
    [-PORTCULLIS_ERROR_FULL] = "too many regions",
    [-PORTCULLIS_ERROR_KIND] = "a region lies in memory, or pages to be given away do not",
    [-PORTCULLIS_ERROR_HOST_REFUSED] = "the host's translation cannot be changed",
    [-PORTCULLIS_ERROR_EL2_REFUSED] = "the registers cannot be mapped at EL2",
    [-PORTCULLIS_ERROR_POOL] = "the memory of the state or of the SMMUs is used up",
    [-PORTCULLIS_ERROR_EL2_ADDRESS] = "the address of an EL2 mapping is of no use",
    [-PORTCULLIS_ERROR_STUCK] = "pages could not be given back to the host",
    [-PORTCULLIS_ERROR_INDEX] = "there is no such region or ITS",
    [-PORTCULLIS_ERROR_STRIDE] = "a stride is not a power of two or smaller than a frame",
    [-PORTCULLIS_ERROR_ITS] = "an ITS does not answer, or does not take its queue and tables",
    [-PORTCULLIS_ERROR_ITS_POOL] = "the pool of the ITSes is too small or out of their reach",
    [-PORTCULLIS_ERROR_GIC] = "the Distributor or a Redistributor does not answer",
    [-PORTCULLIS_ERROR_HANDOVER] = "the live ITS is not taken over",
    [-PORTCULLIS_ERROR_LIVE] = "a live ITS was not handed over",
    [-PORTCULLIS_ERROR_VERSION] = "the library is of another version than its header",
    [-PORTCULLIS_ERROR_HELD] = "an ITS, a Redistributor or an SMMU of the host uses a page",
    [-PORTCULLIS_ERROR_OWNER] = "a page is not with whom it should be",
    [-PORTCULLIS_ERROR_SMMU] = "an SMMU cannot be driven or does not confirm",
};

// What the compiler has the library call where a check fails. One of the embedder's takes its place.
__attribute__((weak)) void portcullis_panic(void) { __builtin_trap(); }

const char *portcullis_strerror(enum portcullis_status status) {
    const int index = -(int)status;
    if (index < 0 || index >= (int)(sizeof texts / sizeof *texts) || texts[index][0] == 0) return "unknown status";
    return texts[index];
}

#if __STDC_HOSTED__
#include "portcullis_locks.h"

uint8_t *portcullis_locks_of_thread(void) {
    static _Thread_local uint8_t ranks;
    return &ranks;
}
#endif
