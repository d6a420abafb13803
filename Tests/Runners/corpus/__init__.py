# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Holds `inspect` against an independent reading of Debian's device trees."""
