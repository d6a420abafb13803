// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// No part of the interface: where a debug build of the library keeps which locks a CPU holds.

#pragma once

#include <stdint.h>

/// The locks of the thread that runs this, which stands for a CPU: a byte that begins as zero.
///
/// It is there where threads are, on Linux; only a debug build asks for it.
uint8_t *portcullis_locks_of_thread(void);
