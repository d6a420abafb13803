// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

#ifndef CALLS_H
#define CALLS_H

void test_calls(void);

#endif
