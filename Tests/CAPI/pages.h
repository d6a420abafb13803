// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

#ifndef PAGES_H
#define PAGES_H

// Pages that move between the host and another VM, behind the C interface.
void test_pages(void);

#endif
