# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""`make test` and `make test-all`; the steps of them that boot nothing."""
