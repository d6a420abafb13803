# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Boots by UEFI: Debian's EDK2, its shell, and what a USB stick holds."""
