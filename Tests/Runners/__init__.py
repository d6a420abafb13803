# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""What runs, drives and judges the tests; `python3 -m Runners.FOLDER.MODULE` starts one, with PYTHONPATH=Tests."""

import pathlib

# Where the repository is.
ROOT = pathlib.Path(__file__).resolve().parents[2]
