// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

#ifndef BOARD_H
#define BOARD_H

// A board without a tree, behind the C interface.
void test_board(void);

#endif
