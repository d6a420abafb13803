// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import SMMU

/// Why a transaction has no physical address, with what its event tells.
struct TranslationFault: Error, Hashable, Sendable {
  var type: SMMUEventType
  var isStage2 = false
  var accessClass = SMMUEvent.AccessClass.input
  /// The address that stage 2 refused.
  var intermediate: UInt64 = 0
  /// The address that could not be read.
  var fetch: UInt64 = 0
  /// Whether an event tells of it.
  var isRecorded = true
  /// Whether the device waits for CMD_RESUME.
  var stalls = false
  /// Whether the device sees an abort; else its write is lost and it reads zeroes.
  var aborts = true

  init(_ type: SMMUEventType) { self.type = type }

  static func fetch(_ type: SMMUEventType, at address: UInt64) -> Self {
    var fault = Self(type)
    fault.fetch = address
    return fault
  }

  /// What ends silently with an abort.
  static var silent: Self {
    var fault = Self(.badEntry)
    fault.isRecorded = false
    return fault
  }

  /// The record of it (IHI 0070, 7.3).
  func event(_ transaction: DeviceTransaction, tag: UInt16?) -> SMMUEvent {
    var event = SMMUEvent(UInt64(type.rawValue) | UInt64(transaction.stream.rawValue) << 32)
    if let substream = transaction.substream {
      event.word0 |= 1 << 11 | UInt64(substream.rawValue) << 12
    }
    if type.hasInputAddress {
      event.word1 |= transaction.isPrivileged ? 1 << 33 : 0
      event.word1 |= transaction.isWrite ? 0 : 1 << 35
      event.word2 = transaction.address
    }
    if type.hasAccess {
      event.word1 |= isStage2 ? 1 << 39 : 0
      event.word1 |= UInt64(accessClass.rawValue) << 40
      if let tag { event.word1 |= UInt64(tag) | 1 << 31 }
      if isStage2, type != .walkAbort { event.word3 = intermediate.masked(51, 12) }
    }
    if type.hasFetchAddress { event.word3 = fetch.masked(51, 3) }
    return event
  }
}
