// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SMMU

// The devices behind the SMMU.
extension SimulatedSMMU {
  /// A device reads.
  package func read(
    _ stream: UInt32, _ address: UInt64, width: AccessWidth = .double, substream: UInt32? = nil
  ) -> DeviceResponse {
    process(DeviceTransaction(stream, address, width: width, substream: substream))
  }

  /// A device writes.
  package func write(
    _ stream: UInt32, _ address: UInt64, _ value: UInt64, width: AccessWidth = .double,
    substream: UInt32? = nil
  ) -> DeviceResponse {
    process(
      DeviceTransaction(stream, address, write: value, width: width, substream: substream))
  }

  /// Carries out a transaction of a device to its end.
  package func process(_ transaction: DeviceTransaction) -> DeviceResponse {
    switch resolve(transaction) {
    case .refused(let response): response
    case .reached(let translated) where transaction.type == .request:
      answer(transaction, translated)
    case .reached(let translated): transfer(transaction, at: translated.physical)
    }
  }

  /// Translates a write now, and lets it reach memory with the next CMD_SYNC or `land` only, as hardware
  /// may; what the device hears at once is nil where it is on its way.
  package func post(_ transaction: DeviceTransaction) -> DeviceResponse? {
    switch resolve(transaction) {
    case .refused(let response): return response
    case .reached(let translated):
      state.inFlight.append(InFlight(transaction: transaction, physical: translated.physical))
      return nil
    }
  }

  /// What is on its way reaches memory.
  package func land() {
    let landing = state.inFlight
    state.inFlight = []
    for item in landing { _ = transfer(item.transaction, at: item.physical) }
  }

  /// Translates and keeps what comes of it, as hardware may at any time for any address; no event tells
  /// of a fault.
  package func prefetch(_ transaction: DeviceTransaction) {
    guard control.contains(.translates) else { return }
    checkTables()
    _ = try? translate(transaction)
  }

  private enum Outcome {
    case reached(Translated)
    case refused(DeviceResponse)
  }

  private func resolve(_ transaction: DeviceTransaction) -> Outcome {
    remember(transaction)
    checkTables()
    guard control.contains(.translates) else { return resolveByDefault(transaction) }
    do throws(TranslationFault) {
      return .reached(try translate(transaction))
    } catch {
      return .refused(refuse(transaction, error))
    }
  }

  /// While SMMUEN is clear SMMU_GBPA decides, but nothing is done for ATS.
  private func resolveByDefault(_ transaction: DeviceTransaction) -> Outcome {
    switch transaction.type {
    case .translated:
      return .refused(refuse(transaction, TranslationFault(.translatedForbidden)))
    case .request:
      return .refused(refuse(transaction, TranslationFault(.badTranslationRequest)))
    case .unsupported: return .refused(.aborted)
    case .untranslated: break
    }
    let isRefused =
      SMMUGBPA(rawValue: state.bypass).aborts
      || transaction.address > UInt64.ones(configuration.outputSize.bits)
    return isRefused ? .refused(.aborted) : .reached(Translated(physical: transaction.address))
  }

  private func refuse(
    _ transaction: DeviceTransaction, _ fault: TranslationFault
  ) -> DeviceResponse {
    if transaction.type == .request, fault.type.hasAccess, fault.type != .walkAbort {
      // The answer to a request that no translation is for is that there is none.
      return .translation(nil, isReadable: false, isWritable: false)
    }
    if fault.stalls, UInt64(state.stalled.count) < configuration.stallLimit {
      let tag = (0...UInt16.max).first { state.stalled[$0] == nil } ?? 0
      state.stalled[tag] = transaction
      report(fault.event(transaction, tag: tag))
      return .stalled(tag)
    }
    if isRecorded(fault, transaction.type) { report(fault.event(transaction, tag: nil)) }
    return fault.aborts || transaction.type == .request ? .aborted : .completed(0)
  }

  /// Whether an event tells of a fault: with ATS, of an error of the configuration only where
  /// SMMU_CR2.REC_CFG_ATS asks for it (IHI 0070, 3.9.1.2 and 3.9.1.3).
  private func isRecorded(
    _ fault: TranslationFault, _ type: DeviceTransaction.AddressType
  ) -> Bool {
    let isAsked = SMMUCR2(rawValue: state.control2).contains(.recordsATSConfigurationErrors)
    switch (type, fault.type) {
    case (.untranslated, _), (.unsupported, _): return fault.isRecorded
    case (_, .badTranslationRequest), (_, .translatedForbidden): return fault.isRecorded
    // RECINVSID does not count.
    case (.translated, .badStream): return isAsked
    // What stage 2 says of a split translation.
    case (.translated, let reason) where reason.hasAccess: return fault.isRecorded
    default: return fault.isRecorded && isAsked
    }
  }

  @discardableResult
  func answer(
    _ transaction: DeviceTransaction, _ translated: Translated
  ) -> DeviceResponse {
    state.deviceTranslations[transaction.stream.rawValue, default: [:]][
      transaction.address.aligned(log2: 12)] = translated.physical.aligned(log2: 12)
    return .translation(
      translated.physical, isReadable: translated.isReadable, isWritable: translated.isWritable)
  }

  /// The address that a device keeps for one that it asked about.
  package func keptTranslation(_ stream: UInt32, _ address: UInt64) -> UInt64? {
    state.deviceTranslations[stream]?[address.aligned(log2: 12)].map { $0 | address.low(12) }
  }

  private func transfer(_ transaction: DeviceTransaction, at address: UInt64) -> DeviceResponse {
    guard address.low(UInt64(transaction.width.rawValue)) == 0,
      answers(address, transaction.width.bytes)
    else { return .aborted }
    let access = SMMUAccess(
      .device(transaction.stream), address, size: transaction.width.bytes,
      isWritten: transaction.isWrite)
    record(access)
    if let value = onTransfer?(access, transaction.value) { return .completed(value) }
    let observer: PhysicalMemory.Observer =
      configuration.hasCoherentDevices ? .coherentDevice : .nonCoherentDevice
    guard let value = transaction.value else {
      return .completed(memory.load(transaction.width, at: address, by: observer))
    }
    memory.store(transaction.width, value, at: address, by: observer)
    return .completed(0)
  }

  /// Whether a stream, or a walk, can come to a physical address by what is kept or on its way.
  ///
  /// What is kept of stage 1 alone comes to an IPA.
  package func isKept(_ physical: UInt64) -> Bool {
    state.translations.entries.contains {
      switch $0.kind {
      case .stage1: false
      case .table: physical >> 12 == $0.output >> 12
      case .stage2, .combined: physical &- $0.output <= UInt64.ones($0.log2)
      }
    } || state.inFlight.contains { $0.physical >> 12 == physical >> 12 }
  }
}
