# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""ACPI tables: those of QEMU's machines, made variants, hostile ones, and what `inspect` makes of them."""
