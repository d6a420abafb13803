// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import SMMU
internal import SMMUDriver

/// What a command of the host comes to, decided on EL2's copy of it.
enum CommandRule: Hashable {
  /// A hint, or nothing that is left to do.
  case nothing
  /// CMD_SYNC: everything before it is complete.
  case synchronise
  /// The hardware forgets a part of stage 1.
  case forget(Stage1Invalidation)
  /// EL2 reads the entries of streams again, of which `end` is one more than the last.
  case read(first: UInt64, end: UInt64)
  /// It is illegal: the queue stops.
  case refused(SMMURefusalReason)

  /// The rule of a command, deny by default.
  init(_ command: SMMUCommand, _ offered: OfferedIdentification) {
    guard let opcode = command.opcode else {
      self = .refused(.reservedCommand)
      return
    }
    let streams: UInt64 = 1 << offered.streamLog2
    switch opcode {
    case .prefetchConfiguration, .prefetchAddress:
      self = command.isSecure ? .refused(.secureStream) : .nothing
    case .invalidateEntry:
      let stream = UInt64(command.stream.rawValue)
      self =
        command.isSecure
        ? .refused(.secureStream)
        : stream < streams ? .read(first: stream, end: stream + 1) : .nothing
    case .invalidateEntries:
      if command.isSecure {
        self = .refused(.secureStream)
      } else if command.streamRange >= offered.streamLog2 {
        self = .read(first: 0, end: streams)
      } else {
        let size: UInt64 = 1 << (command.streamRange + 1)
        let first = UInt64(command.stream.rawValue) & ~(size - 1)
        self = first < streams ? .read(first: first, end: min(first + size, streams)) : .nothing
      }
    case .invalidateContext, .invalidateContexts:
      if command.isSecure {
        self = .refused(.secureStream)
      } else if UInt64(command.stream.rawValue) >= streams {
        self = .nothing
      } else if opcode == .invalidateContexts {
        self = .forget(.contexts(command.stream))
      } else {
        self = .forget(.context(command.stream, command.substream, leaf: command.isLeaf))
      }
    case .invalidateStage1, .invalidateAll: self = .forget(.everything)
    case .invalidateStage1ASID: self = .forget(.space(command.asid))
    case .invalidateStage1Address: self = Self.address(command, command.asid, offered)
    case .invalidateStage1AddressAllASIDs: self = Self.address(command, nil, offered)
    case .synchronise:
      switch command.completion {
      // Without IDR0.SEV an event is asked for in vain, and without IDR0.MSI a message: MSIAddress is ignored.
      case .none?, .event, .interrupt: self = .synchronise
      case nil: self = .refused(.reservedCommand)
      }
    case .invalidatePartitions, .invalidateEL3, .invalidateEL3Address, .invalidateEL2,
      .invalidateEL2ASID, .invalidateEL2Address, .invalidateEL2AddressAllASIDs,
      .invalidateBothStages, .invalidateStage2Address, .invalidateDevice, .respondPage, .resume,
      .terminateStalls, .invalidateSecureEL2, .invalidateSecureEL2ASID,
      .invalidateSecureEL2Address, .invalidateSecureEL2AddressAllASIDs,
      .invalidateSecureBothStages, .invalidateSecureStage2Address, .invalidateSecure,
      .invalidatePermissions, .invalidatePermissionsAddress:
      self = .refused(.hiddenCommand)
    }
  }

  /// CMD_TLBI_NH_VA and VAA: a range is checked, so that the hardware never finds it illegal; the hint of a
  /// level is left out, which has it forget more at most.
  private static func address(
    _ command: SMMUCommand, _ asid: ASID?, _ offered: OfferedIdentification
  ) -> CommandRule {
    let single = CommandRule.forget(.address(command.address, asid, leaf: command.isLeaf))
    guard offered.hasRangeInvalidation, command.granule != 0 else { return single }
    guard offered.hasGranule(command.granule) else { return .refused(.range) }
    if command.rangeCount == 0, command.rangeScale == 0 {
      // One granule of a known level; of an unknown one it is reserved.
      return command.levelHint == 0 ? .refused(.range) : single
    }
    return .forget(
      .range(
        command.address, asid, count: UInt8(truncatingIfNeeded: command.rangeCount),
        scale: UInt8(truncatingIfNeeded: command.rangeScale),
        granule: UInt8(truncatingIfNeeded: command.granule), leaf: command.isLeaf))
  }
}
