// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Inspection

extension DefaultStringInterpolation {
  /// Puts a text of the command line in quotes, harmless to a terminal.
  mutating func appendInterpolation(quoted text: String) {
    appendLiteral("'")
    appendLiteral(text.printable)
    appendLiteral("'")
  }
}
