// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

#include "portcullis.h"

const char *portcullis_strerror(enum portcullis_status status) {
    switch (status) {
    case PORTCULLIS_OK: return "done";
    case PORTCULLIS_ERROR_ARGUMENT: return "an argument is null or has a value that is not allowed";
    case PORTCULLIS_ERROR_STRUCT_SIZE: return "a struct is smaller than this library needs";
    case PORTCULLIS_ERROR_MEMORY: return "the memory for the state is too small or not aligned";
    case PORTCULLIS_ERROR_ORDER: return "the call does not come at this point";
    case PORTCULLIS_ERROR_TREE: return "not a valid device tree";
    case PORTCULLIS_ERROR_BOARD: return "the board cannot be protected";
    case PORTCULLIS_ERROR_ALIGNMENT: return "a base or size is not aligned";
    case PORTCULLIS_ERROR_RANGE: return "a range is empty or leaves the physical address space";
    case PORTCULLIS_ERROR_OVERLAP: return "a region shares a page with another";
    case PORTCULLIS_ERROR_FULL: return "too many regions";
    case PORTCULLIS_ERROR_KIND: return "a region lies in memory";
    case PORTCULLIS_ERROR_HOST_REFUSED: return "the host's translation cannot be changed";
    case PORTCULLIS_ERROR_EL2_REFUSED: return "the registers cannot be mapped at EL2";
    case PORTCULLIS_ERROR_POOL: return "the memory for the state cannot keep track of the pages";
    case PORTCULLIS_ERROR_EL2_ADDRESS: return "the address of an EL2 mapping is of no use";
    case PORTCULLIS_ERROR_STUCK: return "pages could not be given back to the host";
    case PORTCULLIS_ERROR_INDEX: return "there is no such region or ITS";
    case PORTCULLIS_ERROR_STRIDE: return "a stride is not a power of two or smaller than a frame";
    case PORTCULLIS_ERROR_ITS: return "an ITS does not answer, or does not take its queue and tables";
    case PORTCULLIS_ERROR_ITS_POOL: return "the pool of the ITSes is too small or out of their reach";
    case PORTCULLIS_ERROR_GIC: return "the Distributor or a Redistributor does not answer";
    case PORTCULLIS_ERROR_HANDOVER: return "the live ITS is not taken over";
    case PORTCULLIS_ERROR_LIVE: return "a live ITS was not handed over";
    }
    return "unknown status";
}
