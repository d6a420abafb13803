// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

#ifndef REDISTRIBUTORS_H
#define REDISTRIBUTORS_H

void test_redistributors(void);

#endif
