// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// All of this module is inline; compiled here on its own, the header is seen to need no other.
#include "CHardware.h"
