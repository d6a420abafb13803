// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// A program of the operations that portcullis_aarch64.h has: linked, and not run.

#include "portcullis_aarch64.h"

void start(struct portcullis_ops *ops, uint64_t *state);

void start(struct portcullis_ops *ops, uint64_t *state) {
    portcullis_aarch64_operations(ops);
    state[0] = portcullis_aarch64_fix_up(state[1], state[2]);
}
