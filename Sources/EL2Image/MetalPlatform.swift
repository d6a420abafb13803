// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEL2Boot
internal import CHardware
internal import Boards
internal import Hypervisor
internal import Ownership
internal import SMMUDriver
internal import Traps
internal import UEFI

typealias MetalMonitor = Monitor<MetalPlatform>

/// This machine, as the monitor sees it: all of it lies at fixed places.
struct MetalPlatform: BoardPlatform {
  typealias SMMUs = MetalSMMUs

  // The image that is shipped has no such switch: the others are images of their own, built from the same
  // sources.
  #if MEDIATE_OFF
    var mediation: Mediation { .off }
  #elseif MEDIATE_FORWARDING
    var mediation: Mediation { .forwarding }
  #else
    var mediation: Mediation { .on }
  #endif

  // The simulated board checks the order of locks on all paths; here it costs nothing.
  @inline(__always)
  func willTake(_ rank: LockRank) {}
  @inline(__always)
  func willRelease(_ rank: LockRank) {}

  var registers: MetalDeviceMemory { MetalDeviceMemory() }
  var cache: MetalTranslationCache { MetalTranslationCache() }
  var memory: MetalBusMemory { MetalBusMemory() }
  var host: MetalHostRegisters { MetalHostRegisters() }
  var smmus: MetalSMMUs { MetalSMMUs() }
  func tables(imageBase: PhysicalAddress) -> MetalTables { MetalTables(imageBase: imageBase) }

  var cpu: UInt64 {
    @inline(__always) get { pc_read_tpidr_el2() }
  }
  var time: UInt64 {
    @inline(__always) get { pc_read_cntpct_el0() }
  }
  var frequency: UInt64 { pc_read_cntfrq_el0() }
  var multiprocessorAffinity: UInt64 { pc_read_mpidr_el1() }
  var physicalAddressRange: UInt64 { pc_read_id_aa64mmfr0_el1() & 0xf }
  var identity: ProcessorIdentity { .ofThisCPU() }

  var stackSize: UInt64 { el2_stack_size }
  func stack(_ cpu: UInt64) -> VirtualAddress {
    VirtualAddress(el2_stacks + (2 * cpu + 1) * el2_stack_size)
  }

  func layout(of tables: borrowing MetalTables) -> ImageLayout? {
    let base = tables.imageBase.rawValue
    let start = el2_image_start_here()
    func range(_ place: UInt64, _ size: UInt64) -> AddressRange? {
      AddressRange(base: PhysicalAddress(base + (place - start)), size: size)
    }
    guard let image = range(start, el2_image_end_here() - start),
      let canary = range(el2_canary_here(), el2_canary_size),
      let smmuArena = range(el2_smmus_here(), el2_smmus_size),
      let trace = range(el2_trace_here(), el2_trace_size)
    else { return nil }
    return ImageLayout(
      image: image, canary: canary,
      redistributorPins: PhysicalAddress(
        base + (el2_redistributors_here() - start) + RedistributorPlace.pinsOffset),
      smmuArena: smmuArena,
      virtualSMMUs: PhysicalAddress(base + (el2_virtual_smmus_here() - start)), trace: trace,
      secondaryEntry: base + (el2_secondary_entry_here() - start))
  }

  func firmware(of board: borrowing Board) -> MetalFirmware { MetalFirmware(board) }
  var noFirmware: MetalFirmware { .none }
  func console(_ description: ConsoleDescription, at base: VirtualAddress) -> Console? {
    Console(description, at: base.rawValue)
  }

  func text(of offer: FirmwareOffer) -> Console {
    Console(textOf: VirtualLayout.linear(offer.block.base).rawValue)
  }

  var payloadSize: UInt64 { el2_payload_end_here() - el2_payload_start_here() }
  func payloadWord(_ offset: UInt64) -> UInt64 { pc_load64(el2_payload_start_here() &+ offset) }

  func publish(_ range: AddressRange) {
    DataCache.clean(VirtualLayout.linear(range.base).rawValue, size: range.size)
    pc_invalidate_instructions()
  }

  func load(_ translation: HostTranslationRegisters) {
    pc_write_vtcr_el2(translation.control)
    pc_write_vttbr_el2(translation.base)
    pc_isb()
  }

  func waitForInterrupt() {
    pc_dsb_sy()
    pc_wfi()
  }

  func switchOff(by firmware: MetalFirmware) {
    _ = firmware.call(SMCCC.Call(PSCI.systemOff))
    el2_park()
  }

  func measure(spare: PageRange?) { Figures.log(spare) }
}

// Leaves: the memory is set aside by the linker for these values alone, aligned to a page, and `fits` is checked
// before the first use; what boot has mapped is the tree, which nothing writes, and the place of the host's tree.
extension MetalPlatform {
  var state: StatePlace<MetalPlatform> {
    @inline(__always) get {
      unsafe StatePlace(
        UnsafeMutableRawPointer(bitPattern: UInt(el2_state_here())).unsafelyUnwrapped)
    }
  }

  var itses: ITSPlaces {
    @inline(__always) get {
      unsafe ITSPlaces(
        UnsafeMutableRawPointer(bitPattern: UInt(el2_itses_here())).unsafelyUnwrapped)
    }
  }

  var redistributors: RedistributorPlace {
    @inline(__always) get {
      unsafe RedistributorPlace(
        UnsafeMutableRawPointer(bitPattern: UInt(el2_redistributors_here())).unsafelyUnwrapped)
    }
  }

  var virtualSMMUs: VirtualSMMUPlaces {
    unsafe VirtualSMMUPlaces(
      UnsafeMutableRawPointer(bitPattern: UInt(el2_virtual_smmus_here())).unsafelyUnwrapped)
  }

  var counts: Statistics<MetalCounts> {
    @inline(__always) get { Statistics(cpus: el2_max_cpus, memory: MetalCounts()) }
  }

  @_lifetime(borrow self)
  func bytes(of range: AddressRange) -> Span<UInt8> {
    let source = unsafe UnsafeBufferPointer<UInt8>(
      start: UnsafePointer(bitPattern: UInt(VirtualLayout.linear(range.base).rawValue)),
      count: Int(range.size))
    return unsafe _overrideLifetime(source.span, borrowing: self)
  }

  @_lifetime(borrow self)
  func mutableBytes(of range: AddressRange) -> MutableSpan<UInt8> {
    let place = unsafe UnsafeMutableBufferPointer<UInt8>(
      start: UnsafeMutablePointer(bitPattern: UInt(VirtualLayout.linear(range.base).rawValue)),
      count: Int(range.size))
    return unsafe _overrideLifetime(place.mutableSpan, borrowing: self)
  }

  /// Whether the memory is large enough.
  static var fits: Bool {
    StatePlace<MetalPlatform>.fits(Int(el2_state_size))
      && Statistics<MetalCounts>.size(cpus: el2_max_cpus, services: el2_max_itses)
        <= el2_statistics_size
      && ITSPlaces.fit && ITSPlaces.stride == Int(el2_its_state_size)
      && RedistributorPlace.fits && RedistributorPlace.size <= el2_redistributors_size
      && VirtualSMMUPlaces.fit && VirtualSMMUPlaces.stride == el2_virtual_smmu_size
      && CPUTable.capacity <= Int(el2_max_cpus) && Board.ITSes.capacity <= Int(el2_max_itses)
      && SMMUGroup<MetalSMMUs>.capacity <= Int(el2_max_smmus)
  }
}

/// The words that the linker has set aside for counts.
struct MetalCounts: CountMemory {
  @inline(__always)
  func load(_ index: UInt64) -> UInt64 { pc_load64(el2_statistics_here() &+ index &* 8) }
  @inline(__always)
  func store(_ value: UInt64, at index: UInt64) {
    pc_store64(el2_statistics_here() &+ index &* 8, value)
  }
}
