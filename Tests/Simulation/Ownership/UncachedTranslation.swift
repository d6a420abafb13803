// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Ownership
import SimulatedHardware

/// Translation caches of a board that keeps nothing: an invalidation is noted in the log of tables alone.
package struct UncachedTranslation: TranslationCache {
  let log: TableLog?

  package func invalidateStage2(_ pages: PageRange) { log?.append(.invalidateStage2(pages)) }
  package func invalidateStage2All() { log?.append(.invalidateStage2(nil)) }
  package func invalidateEL2(_ address: VirtualAddress, count: UInt64) {
    log?.append(.invalidateHypervisor(address: address.rawValue, count: count))
  }
}
