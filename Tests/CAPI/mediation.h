// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

#ifndef MEDIATION_H
#define MEDIATION_H

// The mediation of ITSes, behind the C interface.
void test_mediation(void);

#endif
