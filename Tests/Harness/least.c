// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// What a program that fills its board itself links at least, for ITSes and Redistributors: to be measured, not run.

#include "portcullis.h"

extern struct portcullis_config config;
extern struct portcullis_board board;

enum portcullis_status begin(void *memory, size_t size, struct portcullis **gate, const struct portcullis_region *region) {
    enum portcullis_status status = portcullis_init_board(memory, size, &config, &board, gate);
    if (!status) status = portcullis_add_region(*gate, region);
    return status ? status : portcullis_claim(*gate);
}

enum portcullis_trap serve(struct portcullis *gate, struct portcullis_frame *frame, uint64_t esr, uint64_t far, uint64_t hpfar) {
    enum portcullis_trap outcome = portcullis_handle_trap(gate, frame, esr, far, hpfar, NULL);
    if (outcome == PORTCULLIS_TRAP_UNCLAIMED) portcullis_inject_abort(gate, frame, esr, far, hpfar);
    return outcome;
}
