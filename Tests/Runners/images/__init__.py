# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Checks what was built for bare metal by its disassembly and by linking it."""
