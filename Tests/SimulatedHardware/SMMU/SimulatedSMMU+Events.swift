// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SMMU

// The event queue (IHI 0070, 3.5 and 7.2).
extension SimulatedSMMU {
  /// Records an event, or loses it.
  func report(_ event: SMMUEvent) {
    guard control.contains(.eventQueue) else { return }
    let log2 = eventBase.log2
    let produced = SMMUQueuePointer(rawValue: state.eventProduced)
    let consumed = SMMUQueuePointer(rawValue: state.eventConsumed)
    guard !produced.isFull(consumed: consumed, log2: log2) else {
      // An overflow that software has not acknowledged is not told again.
      if produced.hasOverflowFlag == consumed.hasOverflowFlag { state.eventProduced ^= 1 << 31 }
      return
    }
    let address = eventBase.base + UInt64(produced.index(log2: log2)) * SMMUEvent.size
    let words = [event.word0, event.word1, event.word2, event.word3]
    for (index, word) in words.enumerated() {
      guard
        write(
          .eventQueue, .double, word, address + UInt64(index) * 8, observer(ofTables: false))
      else {
        raise(.eventQueueAborted)
        return
      }
    }
    let wasEmpty = produced.isEmpty(consumed: consumed, log2: log2)
    state.eventProduced =
      state.eventProduced & 1 << 31 | produced.advanced(log2: log2).rawValue
    if wasEmpty,
      state.interruptsAcknowledged & SMMUInterruptControl.eventQueue.rawValue != 0,
      !signal(state.eventMessage, .events)
    {
      raise(.eventMSIAborted)
    }
  }
}
