// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEL2Boot
internal import CHardware
internal import Boards
internal import DeviceTree
internal import Hypervisor
internal import Ownership
internal import Traps
internal import UEFI

/// SCTLR_EL2 with the MMU on: RES1 bits, WXN as a second lock on W^X, I, SA, C, M.
private var systemControl: UInt64 { 0x30c5_0830 | 1 << 19 | 1 << 12 | 1 << 3 | 1 << 2 | 1 }

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
func el2_build_translation() -> UInt64 {
  let imageBase = PhysicalAddress(el2_image_start_here())
  guard MetalPlatform.fits, let pages = ImageMap.poolPages(),
    let space = VirtualLayout.space
  else {
    return 1
  }
  let range = pc_read_id_aa64mmfr0_el1() & 0xf
  var pool = ImageMap.Pool(pages: pages, memory: MetalTables(imageBase: imageBase))
  do throws(OwnershipError) {
    var stage1 = try ImageMap.Stage1(space, pool: &pool, cache: MetalTranslationCache())
    guard ImageMap.map(into: &stage1, pool: &pool) else { return 2 }
    el2_set_translation(
      stage1.root.rawValue, ImageMap.Stage1.controlValue(physicalAddressRange: range),
      ImageMap.Stage1.memoryAttributes, systemControl)
    MetalPlatform().state.begin(EarlyState(pool: pool, stage1: stage1))
  } catch {
    return 3
  }
  return 0
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
func el2_main(_ tree: UInt64) -> Never {
  let monitor = MetalMonitor(MetalPlatform())
  switch monitor.start(by: .ofThisImage(tree: tree)) {
  case .host(let start):
    HostContext(monitor.state.shared.translation).load()
    start.regime?.load()
    el2_leave_boot_stack(start.entry.rawValue, start.argument)
  case .refused: el2_efi_return()
  case .ended: el2_park()
  }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
func el2_leave_boot(_ entry: UInt64, _ argument: UInt64) -> Never {
  let monitor = MetalMonitor(MetalPlatform())
  // Code by its order in the image, which Tests/Runners/images/resident.py checks; and the host that came with the image.
  let stack = el2_boot_stack_here()
  guard let code = monitor.forget(from: el2_boot_text_here(), to: el2_text_end_here()),
    let payload = monitor.forget(from: el2_payload_start_here(), to: el2_rodata_end_here()),
    let stack = monitor.forget(
      from: stack, to: stack + el2_boot_stack_size, at: el2_boot_stack_place)
  else {
    monitor.end(LogLine("switched off: what only the start-up runs cannot be unmapped"))
    el2_park()
  }
  var forgotten = FixedList<3, PageRange>(filler: code)
  _ = forgotten.append(code)
  _ = forgotten.append(payload)
  _ = forgotten.append(stack)
  if monitor.state.shared.ownership.hypervisorMaps(anyOf: forgotten) {
    monitor.end(LogLine("switched off: what only the start-up uses is still mapped"))
    el2_park()
  }
  el2_enter_host(entry, argument)
}

extension MetalMonitor {
  /// Unmaps pages of the image, from the start of one to the end of one, which are mapped at `place`, or where they are
  /// linked; nil where there are none.
  fileprivate func forget(
    from start: UInt64, to end: UInt64, at place: UInt64? = nil
  ) -> PageRange? {
    let base = PhysicalAddress(
      state.shared.layout.image.base.rawValue &+ (start &- el2_image_start_here()))
    guard start < end,
      let range = AddressRange(base: base, size: end &- start),
      let pages = PageRange(covering: range)
    else { return nil }
    state.shared.ownership.unmapAtHypervisor(pages, at: VirtualAddress(place ?? start))
    return pages
  }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
func el2_secondary_main(_ cpu: UInt64) -> Never {
  let monitor = MetalMonitor(MetalPlatform())
  HostContext(monitor.state.shared.translation).load()
  // Firmware starts no CPU that nobody asked for; if it does, the host does not get it.
  guard let start = monitor.startCPU(Int(truncatingIfNeeded: cpu)) else { el2_park() }
  el2_enter_host(start.entry.rawValue, start.argument)
}

/// An exception of the host, as the vectors tell of it.
@inline(__always)
private func hostTrap(
  _ esr: UInt64, _ far: UInt64, _ hpfar: UInt64, _ registers: UnsafeMutablePointer<UInt64>
) -> HostTrap<MetalPlatform> {
  // The vector passes the frame that it has just saved, which nobody else knows.
  unsafe HostTrap(
    esr: esr, far: far, hpfar: hpfar, registers: RegisterFile(registers), on: MetalPlatform())
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
func el2_host_abort(
  _ esr: UInt64, _ far: UInt64, _ hpfar: UInt64, _ registers: UnsafeMutablePointer<UInt64>
) {
  unsafe hostTrap(esr, far, hpfar, registers).handleAbort()
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
func el2_host_trap(
  _ esr: UInt64, _ far: UInt64, _ hpfar: UInt64, _ registers: UnsafeMutablePointer<UInt64>
) {
  unsafe hostTrap(esr, far, hpfar, registers).handle()
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
func el2_fatal(_ esr: UInt64, _ elr: UInt64, _ far: UInt64) -> Never {
  var line = LogLine("EL2 exception: esr ")
  line.append(hex: esr)
  line.append(" elr ")
  line.append(hex: elr)
  line.append(" far ")
  line.append(hex: far)
  MetalMonitor(MetalPlatform()).end(line)
  el2_park()
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
func el2_refuse(_ tree: UInt64, _ reason: UInt64) -> Never {
  var line = LogLine("not started: ")
  var exceptionLevel: UInt64 = 2
  switch reason {
  case 2: line.append("HCR_EL2.E2H cannot be cleared on this core")
  case 1, 3:
    exceptionLevel = reason
    line.append("entered at EL")
    line.append(decimal: exceptionLevel)
    line.append(", not at EL2")
  default: line.append("the image cannot be mapped where it lies")
  }
  refuse(line, tree: PhysicalAddress(tree), exceptionLevel: exceptionLevel)
}

/// Says `line` on the console that the tree names and ends it all, before there is an MMU: every
/// address is physical, and all accesses are aligned, as the format of the tree aligns its words.
private func refuse(
  _ line: consuming LogLine, tree: PhysicalAddress, exceptionLevel: UInt64
) -> Never {
  let (console, firmware) = unmapped(tree, exceptionLevel)
  let platform = MetalPlatform()
  var log = Log(console: console, level: .error, frequency: platform.frequency)
  log.write(.error, line, at: 0)
  platform.switchOff(by: firmware)
  el2_park()
}

/// Console and firmware of the board with this tree.
private func unmapped(
  _ tree: PhysicalAddress, _ exceptionLevel: UInt64
) -> (console: Console?, firmware: MetalFirmware) {
  guard tree.rawValue != 0, let size = DeviceTreeBlob.size(head: pc_load64(tree.rawValue)) else {
    return (nil, .none)
  }
  // Nothing else runs that could change the tree.
  let source = unsafe UnsafeBufferPointer<UInt8>(
    start: UnsafePointer(bitPattern: UInt(tree.rawValue)), count: Int(size))
  do throws(BlobError) {
    let blob = try DeviceTreeBlob(checking: unsafe source.span)
    var diagnostics = FirstDiagnostics<Diagnostic>()
    let board = Board.read(blob, granule: .kib4, reporting: &diagnostics)
    let console = board.console.flatMap {
      Console($0, at: $0.range.base.rawValue, isGuarded: exceptionLevel == 2)
    }
    return (console, MetalFirmware(board, exceptionLevel: exceptionLevel))
  } catch {
    return (nil, .none)
  }
}
