# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""The specification at work: hostile hosts beside it, and what of it they have reached."""
