// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEmbedder
internal import DeviceTree
internal import Hypervisor
internal import Ownership
internal import Traps

typealias Device = ProtectedDevice<EmbedderPlatform>
typealias EmbedderOwnership = Ownership<
  EmbedderTables, EmbedderHostTranslation, EmbedderHypervisorTranslation, NoObserver
>
/// As many as the registry holds.
typealias Requests = FixedList<32, RegionRequest<Device>>

/// What lies behind `struct portcullis`.
///
/// Until the claim one CPU changes it; from then on it is only read.
struct EmbedderState: ~Copyable {
  /// How far the calls have come.
  enum Phase {
    /// Regions are registered.
    case registering
    /// The registry is frozen: traps are answered.
    case claimed
    /// A claim could not be undone: nothing works any more.
    case stuck
  }

  private(set) var phase = Phase.registering
  let platform: EmbedderPlatform
  let features: HostFeatures
  let granule: Granule
  private(set) var requests: Requests
  private(set) var registry = RegionRegistry<Device>()
  private var ownership: EmbedderOwnership

  private init(
    granule: Granule, features: HostFeatures, platform: EmbedderPlatform, requests: Requests,
    ownership: consuming EmbedderOwnership
  ) {
    self.granule = granule
    self.features = features
    self.platform = platform
    self.requests = requests
    self.ownership = ownership
  }

  /// Reads the board and registers the control frames of its ITSes.
  static func make(
    _ blob: DeviceTreeBlob, granule: Granule, features: HostFeatures, platform: EmbedderPlatform,
    pool: consuming PagePool<EmbedderTables>
  ) throws(EmbedderError) -> EmbedderState {
    var diagnostics = DiagnosticLog()
    let board = Board.read(blob, granule: granule, reporting: &diagnostics)
    diagnostics.write(to: platform, blob)
    guard board.verdict != .refused else { throw EmbedderError(PORTCULLIS_ERROR_BOARD) }
    let requests = try requests(of: board)
    do throws(OwnershipError) {
      let ownership = try ownership(of: board, platform, pool)
      return EmbedderState(
        granule: granule, features: features, platform: platform, requests: requests,
        ownership: ownership)
    } catch {
      if case .poolExhausted = error { throw EmbedderError(PORTCULLIS_ERROR_POOL) }
      throw EmbedderError(PORTCULLIS_ERROR_BOARD)
    }
  }

  private static func requests(of board: borrowing Board) throws(EmbedderError) -> Requests {
    var requests = Requests(filler: .filler)
    for index in board.itses.indices {
      guard let pages = PageRange(covering: board.itses[index].controlFrame),
        requests.append(
          RegionRequest(
            pages: pages, widths: .word.union(.double), kinds: .readWrite, device: .forwarded))
      else { throw EmbedderError(PORTCULLIS_ERROR_BOARD) }
    }
    return requests
  }

  private static func ownership(
    of board: borrowing Board, _ platform: EmbedderPlatform,
    _ pool: consuming PagePool<EmbedderTables>
  ) throws(OwnershipError) -> EmbedderOwnership {
    // All that descriptors without FEAT_LPA reach.
    guard let geometry = TranslationGeometry(bits: 48) else { throw .unsupportedSize(bits: 48) }
    var memory = MemoryMap()
    for index in board.memory.indices {
      guard let pages = PageRange(covering: board.memory[index]) else { throw .empty }
      try memory.add(pages)
    }
    // The embedder keeps its own memory out of its stage 2: there is nothing to record here.
    let none = FixedList<1, PageRange>(filler: .filler)
    return try EmbedderOwnership(
      geometry, memoryMap: memory, hypervisorPages: none.span, pool: pool,
      host: EmbedderHostTranslation(platform: platform),
      hypervisor: EmbedderHypervisorTranslation(platform: platform), observer: NoObserver())
  }

  /// Registers a region of the embedder.
  mutating func add(
    base: UInt64, bytes: UInt64, widths: AccessWidths, kinds: AccessKinds, device: Device?
  ) -> portcullis_status {
    guard phase == .registering else { return PORTCULLIS_ERROR_ORDER }
    guard base % granule.bytes == 0, bytes % granule.bytes == 0 else {
      return PORTCULLIS_ERROR_ALIGNMENT
    }
    guard let range = AddressRange(base: PhysicalAddress(base), size: bytes),
      range.last.rawValue >> 48 == 0, let pages = PageRange(covering: range)
    else { return PORTCULLIS_ERROR_RANGE }
    if ownership.memoryMap.firstMismatch(in: pages, .mmio) != nil { return PORTCULLIS_ERROR_KIND }
    for index in requests.indices where requests[index].pages.overlaps(pages) {
      return PORTCULLIS_ERROR_OVERLAP
    }
    let request = RegionRequest(pages: pages, widths: widths, kinds: kinds, device: device)
    return requests.append(request) ? PORTCULLIS_OK : PORTCULLIS_ERROR_FULL
  }

  /// Takes all registered regions from the host, or none.
  mutating func claim() -> portcullis_status {
    guard phase == .registering else { return PORTCULLIS_ERROR_ORDER }
    do throws(RegionClaimError) {
      try RegionClaim.claim(requests, from: &ownership, registry: &registry)
    } catch {
      if case .stuck = error { phase = .stuck }
      return portcullis_status(error)
    }
    phase = .claimed
    var line = LogLine()
    line.append("regions claimed: ")
    line.append(decimal: UInt64(registry.count))
    platform.log(PORTCULLIS_LOG_INFO, line)
    return PORTCULLIS_OK
  }

  /// Answers a trap; nil before the claim.
  func handleTrap(esr: UInt64, far: UInt64, hpfar: UInt64, registers: RegisterFile) -> Outcome? {
    guard phase == .claimed else { return nil }
    let outcome = registry.handleAbort(
      esr: esr, far: far, hpfar: hpfar, registers: registers,
      host: EmbedderHostRegisters(platform: platform, features: features), context: platform)
    if case .injected(let refusal) = outcome { log(refusal, esr: esr, far: far) }
    return outcome
  }

  @inline(never)
  private func log(_ refusal: Refusal, esr: UInt64, far: UInt64) {
    var line = LogLine()
    if let cpu = platform.cpu {
      line.append("CPU ")
      line.append(decimal: UInt64(cpu))
      line.append(": ")
    }
    line.append("refused: reason ")
    line.append(decimal: UInt64(refusal.rawValue))
    line.append(" va ")
    line.append(hex: far)
    line.append(" esr ")
    line.append(hex: esr)
    platform.log(PORTCULLIS_LOG_WARNING, line)
  }
}

/// A status on its way through `throws`.
struct EmbedderError: Error {
  let status: portcullis_status
  init(_ status: portcullis_status) { self.status = status }
}

extension RegionRequest where Device == ProtectedDevice<EmbedderPlatform> {
  /// What unused slots of a list hold.
  static var filler: Self {
    RegionRequest(pages: PageRange.filler, widths: .none, kinds: .none, device: nil)
  }
}

extension PageRange {
  /// What unused slots of a list hold: the page of address 0, which every space has.
  static var filler: PageRange {
    guard let page = PageRange(first: PageFrameNumber(0), count: 1) else {
      preconditionFailure("page 0 is a page")
    }
    return page
  }
}
