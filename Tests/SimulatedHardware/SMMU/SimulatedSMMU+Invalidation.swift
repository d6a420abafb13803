// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SMMU

// What the TLB commands reach (IHI 0070, 4.4).
extension SimulatedSMMU {
  func invalidateTranslations(_ command: SMMUCommand) {
    let ignored = configuration.hasVMIDWildcards ? control.ignoredVMIDBits : 0
    let vmid = effective(command.vmid.rawValue)
    func isOfVMID(_ entry: CachedTranslation) -> Bool {
      !configuration.hasStage2 || (entry.vmid ^ vmid) >> UInt16(ignored) == 0
    }
    func hasStage1(_ entry: CachedTranslation, _ regime: UInt64) -> Bool {
      (entry.kind == .stage1 || entry.kind == .combined) && entry.regime == regime
        && (regime == 2 || isOfVMID(entry))
    }
    func isOfASID(_ entry: CachedTranslation) -> Bool { entry.asid == command.asid.rawValue }
    switch command.opcode {
    case .invalidateStage1: forget { hasStage1($0, 0) }
    case .invalidateStage1ASID: forget { hasStage1($0, 0) && isOfASID($0) }
    case .invalidateStage1Address:
      forget {
        hasStage1($0, 0) && ($0.asid == nil || isOfASID($0)) && isReached($0, by: command)
      }
    case .invalidateStage1AddressAllASIDs:
      forget { hasStage1($0, 0) && isReached($0, by: command) }
    case .invalidateEL2: forget { hasStage1($0, 2) }
    case .invalidateEL2ASID: forget { hasStage1($0, 2) && isOfASID($0) }
    case .invalidateEL2Address:
      forget {
        hasStage1($0, 2) && ($0.asid == nil || isOfASID($0)) && isReached($0, by: command)
      }
    case .invalidateEL2AddressAllASIDs:
      forget { hasStage1($0, 2) && isReached($0, by: command) }
    case .invalidateBothStages:
      forget { $0.regime == 0 && isOfVMID($0) }
      state.tables = state.tables.filter { ($0.key ^ vmid) >> UInt16(ignored) != 0 }
    case .invalidateStage2Address:
      // What is combined of both stages stays.
      forget { entry in
        switch entry.kind {
        case .stage2: isOfVMID(entry) && isReached(entry, by: command)
        case .table:
          !command.isLeaf && isOfVMID(entry) && isReached(entry, by: command, anyLevel: true)
        case .stage1, .combined: false
        }
      }
    case .invalidateAll:
      forget { $0.regime == 0 }
      state.tables = [:]
    default: break
    }
  }

  private func forget(_ isGone: (CachedTranslation) -> Bool) {
    state.translations.remove(where: isGone)
  }

  /// A VMID as the SMMU has it.
  func effective(_ vmid: UInt16) -> UInt16 {
    configuration.hasStage2 ? configuration.hasVMID16 ? vmid : vmid & 0xff : 0
  }

  /// Whether the addresses of a command reach an entry; one hint too many, and they don't.
  private func isReached(
    _ entry: CachedTranslation, by command: SMMUCommand, anyLevel: Bool = false
  ) -> Bool {
    guard configuration.hasRangeInvalidation, command.granule != 0 else {
      return entry.covers(command.address)
    }
    guard command.granule == 1, command.rangeScale < 40 else {
      faults.append(.rangeWithoutGranule)
      return false
    }
    let size = (command.rangeCount + 1) << (command.rangeScale + 12)
    let (sum, isOver) = command.address.addingReportingOverflow(size - 1)
    guard entry.overlaps(command.address, isOver ? .max : sum) else { return false }
    return anyLevel || command.levelHint == 0 || command.levelHint == entry.level
  }

  /// Notices live entries of stage 2 that were replaced by what they may not be.
  func checkTables() {
    guard state.hasTouchedTables else { return }
    state.hasTouchedTables = false
    // One that several entries have is replaced in all of them when it is found.
    for index in state.translations.entries.indices {
      guard let source = state.translations.entries[index].source else { continue }
      let new = TableDescriptor(raw: memory.load(.double, at: source.address))
      let old = source.descriptor
      guard new.kind(level: source.level) != .invalid,
        new.unchangeable(level: source.level, stage: 2)
          != old.unchangeable(level: source.level, stage: 2),
        !isAllowed(old, new, source.level)
      else { continue }
      faults.append(.breakBeforeMake(entry: source.address, old: old.raw, new: new.raw))
      state.translations.replaceSource(at: source.address, by: new)
    }
  }

  /// Whether a live entry may be replaced because nothing but the size of what it maps changes.
  private func isAllowed(
    _ old: TableDescriptor, _ new: TableDescriptor, _ level: UInt64
  ) -> Bool {
    guard old.kind(level: level) != new.kind(level: level) else { return false }
    switch configuration.breakBeforeMake {
    case .required: return false
    case .level1: return old.isNotForTLB || new.isNotForTLB
    case .level2: return true
    }
  }
}
