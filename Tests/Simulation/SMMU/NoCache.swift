// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Ownership

/// Translation caches of CPUs, of which a board of SMMUs has none.
package struct NoCache: TranslationCache {
  package func invalidateStage2(_ pages: PageRange) {}
  package func invalidateStage2All() {}
  package func invalidateEL2(_ address: VirtualAddress, count: UInt64) {}
}
