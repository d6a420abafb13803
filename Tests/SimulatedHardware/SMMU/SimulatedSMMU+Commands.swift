// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SMMU

// The command queue (IHI 0070, 3.5 and chapter 4).
extension SimulatedSMMU {
  private var consumed: SMMUQueuePointer { SMMUQueuePointer(rawValue: state.commandConsumed) }
  private var produced: SMMUQueuePointer { SMMUQueuePointer(rawValue: state.commandProduced) }

  /// SMMU_CMDQ_CONS, where it has stopped at a command.
  package var stoppedAt: SMMUQueuePointer { consumed }

  /// How many commands are published and not consumed.
  package var unreadCommands: UInt64 {
    let log2 = commandBase.log2
    return UInt64(produced.position &- consumed.position).low(log2 + 1)
  }

  var canConsume: Bool {
    control.contains(.commandQueue) && !activeErrors.contains(.command)
      && state.commandsToHang != 0 && unreadCommands != 0
  }

  /// Carries out one command; false where there is none.
  func consume() -> Bool {
    guard canConsume else { return false }
    fetch()
    guard let command = state.fetched.first else {
      stop(.abort)
      return true
    }
    if let left = state.commandsToHang { state.commandsToHang = left - 1 }
    if let left = state.commandsToError {
      state.commandsToError = left == 0 ? nil : left - 1
      if left == 0 {
        stop(state.injectedError)
        return true
      }
    }
    onCommand?(command)
    guard isLegal(command) else {
      stop(.illegal)
      return true
    }
    if let error = execute(command) {
      stop(error)
      return true
    }
    memory.tableLog?.complete(command, self)
    completedCommands += 1
    state.fetched.removeFirst()
    state.commandConsumed = consumed.advanced(log2: commandBase.log2).rawValue
    return true
  }

  private func stop(_ error: SMMUCommandError) {
    state.fetched = []
    state.commandConsumed = consumed.position | UInt32(error.rawValue) << 24
    raise(.command)
  }

  private func fetch() {
    let wanted = min(UInt64(configuration.commandsFetchedAhead) + 1, unreadCommands)
    let observer = observer(ofTables: false)
    while UInt64(state.fetched.count) < wanted {
      let index = UInt64(consumed.position) + UInt64(state.fetched.count)
      let address = commandBase.base + index.low(commandBase.log2) * SMMUCommand.size
      guard let word0 = readWord(.commandQueue, address, observer),
        let word1 = readWord(.commandQueue, address + 8, observer)
      else { return }
      state.fetched.append(SMMUCommand(word0, word1))
    }
  }

  /// Called before each CPU store.
  func noticeStore(_ address: UInt64, _ size: UInt64) {
    if state.translations.sources.contains(address & ~7) { state.hasTouchedTables = true }
    if configuration.prefetchesEntries { prefetchEntry(at: address) }
    let offset = address &- commandBase.base
    guard control.contains(.commandQueue), !activeErrors.contains(.command),
      offset < SMMUCommand.size << commandBase.log2
    else { return }
    let index = offset / SMMUCommand.size
    if (index &- UInt64(consumed.position)).low(commandBase.log2) < unreadCommands {
      faults.append(.unreadCommandChanged(index: UInt32(index)))
    }
  }

  // MARK: Rules

  /// Whether the SMMU has the command, and its fields say what they may (IHI 0070, 4.1 to 4.7).
  private func isLegal(_ command: SMMUCommand) -> Bool {
    guard let opcode = command.opcode else { return false }
    switch opcode {
    case .prefetchConfiguration, .prefetchAddress, .invalidateEntry, .invalidateEntries:
      return !command.isSecure
    case .invalidateContext, .invalidateContexts:
      return !command.isSecure && configuration.hasStage1
    case .invalidateStage1, .invalidateStage1ASID:
      return configuration.hasStage1
    case .invalidateStage1Address, .invalidateStage1AddressAllASIDs:
      return configuration.hasStage1 && hasLegalRange(command)
    case .invalidateEL2, .invalidateEL2ASID:
      return configuration.hasHypervisorContexts
    case .invalidateEL2Address, .invalidateEL2AddressAllASIDs:
      return configuration.hasHypervisorContexts && hasLegalRange(command)
    case .invalidateBothStages: return configuration.hasStage2
    case .invalidateStage2Address: return configuration.hasStage2 && hasLegalRange(command)
    case .invalidateAll: return true
    case .invalidateDevice:
      return !command.isSecure && configuration.hasATS && command.invalidationSize <= 52
    case .respondPage: return !command.isSecure && configuration.hasPRI
    case .resume, .terminateStalls:
      return !command.isSecure && configuration.stallModel != .terminateOnly
    case .synchronise: return command.completion != nil
    case .invalidatePartitions, .invalidateEL3, .invalidateEL3Address, .invalidateSecureEL2,
      .invalidateSecureEL2ASID, .invalidateSecureEL2Address,
      .invalidateSecureEL2AddressAllASIDs, .invalidateSecureBothStages,
      .invalidateSecureStage2Address, .invalidateSecure, .invalidatePermissions,
      .invalidatePermissionsAddress:
      return false
    }
  }

  /// A range of one granule at no known level is reserved (IHI 0070, 4.4.1).
  private func hasLegalRange(_ command: SMMUCommand) -> Bool {
    guard configuration.hasRangeInvalidation, command.granule != 0 else { return true }
    return command.rangeCount != 0 || command.rangeScale != 0 || command.levelHint != 0
  }

  // MARK: Effects

  private func execute(_ command: SMMUCommand) -> SMMUCommandError? {
    switch command.opcode {
    case .prefetchConfiguration:
      _ = try? entry(of: command.stream)
    case .prefetchAddress:
      var transaction = DeviceTransaction(command.stream.rawValue, command.address)
      if command.hasSubstream { transaction.substream = command.substream }
      prefetch(transaction)
    case .invalidateDevice:
      if configuration.losesDeviceInvalidations { state.hasLostInvalidation = true }
      begin(command)
    case .respondPage: break
    case .resume: resume(command)
    case .terminateStalls:
      for (tag, transaction) in state.stalled.sorted(by: { $0.key < $1.key })
      where transaction.stream == command.stream {
        state.stalled[tag] = nil
        resumed.append(.aborted)
      }
    case .synchronise: return synchronise(command)
    default: begin(command)
    }
    return nil
  }

  private func synchronise(_ command: SMMUCommand) -> SMMUCommandError? {
    complete()
    land()
    if state.hasLostInvalidation {
      state.hasLostInvalidation = false
      return .invalidation
    }
    switch command.completion {
    case .interrupt:
      var message = MessageRegisters()
      message.address = command.messageAddress
      message.data = command.messageData
      message.attributes =
        UInt32(command.messageType) | UInt32(command.messageShareability?.rawValue ?? 0) << 4
      if !signal(message, .synchronised) { raise(.commandMSIAborted) }
    case .event: if configuration.hasSEV { interrupts.append(.event) }
    default: break
    }
    return nil
  }

  private func invalidateDevice(_ command: SMMUCommand) {
    guard let pages = state.deviceTranslations[command.stream.rawValue] else { return }
    let size = command.invalidationSize
    state.deviceTranslations[command.stream.rawValue] = pages.filter {
      size < 52 && $0.key >> (size + 12) != command.address >> (size + 12)
    }
  }

  private func resume(_ command: SMMUCommand) {
    let tag = UInt16(truncatingIfNeeded: command.stallTag)
    guard let transaction = state.stalled[tag], transaction.stream == command.stream else { return }
    state.stalled[tag] = nil
    if command.retries {
      resumed.append(process(transaction))
    } else {
      resumed.append(command.aborts ? .aborted : .completed(0))
    }
  }

  func invalidate(_ command: SMMUCommand) {
    switch command.opcode {
    case .invalidateDevice: invalidateDevice(command)
    case .invalidateEntry:
      forgetEntries(UInt64(command.stream.rawValue)...UInt64(command.stream.rawValue))
      if !command.isLeaf { forgetDescriptor(of: command.stream) }
    case .invalidateEntries:
      if command.isWholeRange {
        state.entries = [:]
        state.contexts = [:]
        state.descriptors = [:]
      } else {
        let log2 = command.streamRange + 1
        let first = UInt64(command.stream.rawValue).aligned(log2: log2)
        let last = first + UInt64.ones(log2)
        forgetEntries(first...last)
        let split = UInt64(StreamTableShape(rawValue: state.streamShape).split?.rawValue ?? 6)
        state.descriptors = state.descriptors.filter {
          $0.key < first >> split || $0.key > last >> split
        }
      }
    case .invalidateContext:
      let place = ContextPlace(
        stream: command.stream.rawValue, substream: command.substream.rawValue)
      state.contexts[place] = nil
    case .invalidateContexts:
      state.contexts = state.contexts.filter { $0.key.stream != command.stream.rawValue }
    default: invalidateTranslations(command)
    }
  }

  private func forgetEntries(_ streams: ClosedRange<UInt64>) {
    state.entries = state.entries.filter { !streams.contains(UInt64($0.key)) }
    state.contexts = state.contexts.filter { !streams.contains(UInt64($0.key.stream)) }
  }

  private func forgetDescriptor(of stream: StreamID) {
    let split = UInt64(StreamTableShape(rawValue: state.streamShape).split?.rawValue ?? 6)
    state.descriptors[UInt64(stream.rawValue) >> split] = nil
  }
}
