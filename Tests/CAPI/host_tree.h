// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

#ifndef HOST_TREE_H
#define HOST_TREE_H

void test_host_tree(void);

#endif
