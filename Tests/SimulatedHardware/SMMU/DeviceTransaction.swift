// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SMMU

/// What a device sends to an SMMU.
package struct DeviceTransaction: Hashable, Sendable {
  /// What PCI's Address Type says of the address.
  package enum AddressType: Hashable, Sendable {
    /// It is to be translated.
    case untranslated
    /// The device says that it has been translated, by ATS.
    case translated
    /// No access: the device asks for the translation, by ATS.
    case request
    /// Something that no SMMU supports.
    case unsupported
  }

  /// Whose it is.
  package var stream: StreamID
  /// Which address space of the stream; nil for none.
  package var substream: SubstreamID?
  /// Where.
  package var address: UInt64
  /// How much.
  package var width: AccessWidth
  /// What is written; nil for a read.
  package var value: UInt64?
  /// What the address is.
  package var type: AddressType
  /// Whether it counts as EL1's.
  package var isPrivileged: Bool

  /// Makes one; without `value` it reads.
  package init(
    _ stream: UInt32, _ address: UInt64, write value: UInt64? = nil, width: AccessWidth = .double,
    substream: UInt32? = nil, type: AddressType = .untranslated, isPrivileged: Bool = true
  ) {
    self.stream = StreamID(stream)
    self.address = address
    self.value = value
    self.width = width
    self.substream = substream.map { SubstreamID($0) }
    self.type = type
    self.isPrivileged = isPrivileged
  }

  /// Whether it writes.
  package var isWrite: Bool { value != nil }
}

/// What the device hears.
package enum DeviceResponse: Hashable, Sendable {
  /// What it read; zero for a write.
  case completed(UInt64)
  /// The address that its request for a translation came to, and what it may do there; nil for nothing.
  case translation(UInt64?, isReadable: Bool, isWritable: Bool)
  /// It was terminated with an abort.
  case aborted
  /// It waits for CMD_RESUME with this tag.
  case stalled(UInt16)
}
