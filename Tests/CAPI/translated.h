// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

#ifndef TRANSLATED_H
#define TRANSLATED_H

void test_translated(void);

#endif
