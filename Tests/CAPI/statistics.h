// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

#ifndef STATISTICS_H
#define STATISTICS_H

void test_statistics(void);

#endif
