// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

#ifndef EMBEDDING_H
#define EMBEDDING_H

// The example of the documentation, on the machine of these tests.
void test_embedding(void);

#endif
