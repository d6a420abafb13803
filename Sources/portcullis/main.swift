// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

// Written to nobody, output ends the program without a word, as it does for every other tool.
_ = signal(SIGPIPE, SIG_DFL)

exit(Program.run())
