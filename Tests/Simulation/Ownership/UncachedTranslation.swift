// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Ownership

/// Translation caches of a board that has none.
package struct UncachedTranslation: TranslationCache {
  package func invalidateStage2(_ pages: PageRange) {}
  package func invalidateStage2All() {}
  package func invalidateEL2(_ address: VirtualAddress, count: UInt64) {}
}
