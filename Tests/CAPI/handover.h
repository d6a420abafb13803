// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

#ifndef HANDOVER_H
#define HANDOVER_H

// A live ITS handed over, behind the C interface.
void test_handover(void);

#endif
