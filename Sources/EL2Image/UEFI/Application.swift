// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import ACPI
internal import Architecture
internal import Boards
internal import CEL2Boot
internal import CHardware
internal import DeviceTree
internal import Hypervisor
internal import UEFI

// The image as an application of UEFI. It runs where the firmware has loaded it, at EL2 in the firmware's translation,
// and uses no address that the linker wrote into data. What it prepares:
//
//     a copy of the image      reserved memory, which no operating system gets
//     EL2's further memory     the same, for stacks and tables
//     a block                  what EL2 is told, and room for what it tells; the host's again afterwards
//
// Then the copy is started, and the application goes on at EL1 under it.

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
func el2_efi_main(_ handle: UnsafeMutableRawPointer?, _ system: UnsafeMutableRawPointer) -> UInt64 {
  // The firmware passes its own table.
  let services = unsafe BootServices(system, application: handle)
  guard services.table(.portcullis) == nil else {
    services.say(LogLine("is there already"))
    return BootServices.alreadyStarted
  }
  guard let problem = Application.firstProblem() else { return Application.start(services) }
  services.say(problem)
  return BootServices.unsupported
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
func el2_efi_prepare(_ start: UnsafeMutableRawPointer) {
  // el2_efi_main passes its own variable, and waits.
  unsafe start.assumingMemoryBound(to: Application.self).pointee.prepare()
}

/// What the application prepares before it starts the copy.
struct Application {
  private let services: BootServices
  /// Where the copy lies.
  private let copy: FirmwarePages
  private var memory: FirmwarePages?
  private var block: FirmwarePages?
  /// The root table of ACPI, where it names IORT.
  private var root: RootTable?
  /// Why it can't be started; nil where it can.
  private var problem: StaticString?

  /// Why the image can't be started here, as far as the CPU tells.
  static func firstProblem() -> LogLine? {
    let exceptionLevel = pc_read_currentel() >> 2
    guard exceptionLevel == 2 else {
      var line = LogLine("not started: entered at EL")
      line.append(decimal: exceptionLevel)
      line.append(", not at EL2")
      return line
    }
    do throws(FirmwareRefusal) {
      _ = try FirmwareRegime(.ofThisCPU())
      return nil
    } catch {
      var line = LogLine("not started: the firmware cannot go on at EL1: ")
      line.append(error.text)
      return line
    }
  }

  static func start(_ services: BootServices) -> UInt64 {
    let size = el2_image_end_here() &- el2_image_start_here()
    // As far as the largest table that a device reads is aligned.
    guard
      let copy = services.allocate(
        .reserved, size, alignment: 0x20_0000, below: VirtualLayout.identityLimit)
    else { return refuse(services, "no memory for the image") }
    copyWords(
      from: el2_image_start_here(), to: copy.base,
      size: el2_file_end_here() &- el2_image_start_here())
    var application = Application(services: services, copy: copy)
    let stack = copy.base &+ (el2_boot_stack_here() &- el2_image_start_here())
    unsafe withUnsafeMutablePointer(to: &application) {
      unsafe el2_efi_call_on(stack &+ el2_boot_stack_size, $0)
    }
    return application.takeOff()
  }

  private static func refuse(_ services: BootServices, _ text: StaticString) -> UInt64 {
    var line = LogLine("not started: ")
    line.append(text)
    services.say(line)
    return BootServices.loadError
  }

  private init(services: BootServices, copy: FirmwarePages) {
    self.services = services
    self.copy = copy
  }

  // MARK: On the copy's stack

  mutating func prepare() {
    let tree = services.table(.deviceTree)
    // An operating system may take either, and would find in the one what EL2 has not read in the other.
    guard tree == nil || services.table(.acpi) == nil else {
      problem = "the firmware has a device tree and tables of ACPI: have it give one alone"
      return
    }
    let treeSize = tree.flatMap { $0 & 7 == 0 ? DeviceTreeBlob.size(head: pc_load64($0)) : nil }
    guard let root = tree ?? services.table(.acpi) else {
      problem = "the firmware has neither a device tree nor tables of ACPI"
      return
    }
    guard tree == nil || treeSize != nil else {
      problem = "the firmware's device tree cannot be read"
      return
    }
    var layout = BlockLayout(descriptionRoom: treeSize ?? BlockLayout.tablesRoom)
    guard
      let block = services.allocate(.reclaimable, layout.size, below: VirtualLayout.identityLimit)
    else {
      problem = "no memory for what EL2 is told"
      return
    }
    self.block = block
    for offset in stride(from: 0, to: block.size, by: 64) { pc_zero64(block.base &+ offset) }
    let description = block.base &+ layout.description
    if let treeSize {
      copyWords(from: root, to: description, size: treeSize)
      layout.descriptionSize = treeSize
    } else {
      guard takeMap(block, &layout), let size = gather(root, into: description, layout) else {
        return
      }
      layout.descriptionSize = size
    }
    guard takeMemory(bytes: services.bytes(description, layout.descriptionSize), treeSize != nil)
    else { return }
    layout.optionsSize = services.options(
      into: block.base &+ layout.options, room: BlockLayout.optionsRoom)
    // Last of all: what is allocated behind it would not be in it.
    guard takeMap(block, &layout) else { return }
    layout.write(to: block.base, memory: memory)
  }

  private mutating func takeMap(_ block: FirmwarePages, _ layout: inout BlockLayout) -> Bool {
    guard let map = services.memoryMap(into: block.base &+ layout.map, room: BlockLayout.mapRoom)
    else {
      problem = "the firmware's memory map is too large"
      return false
    }
    layout.mapSize = map.size
    layout.descriptorSize = map.descriptorSize
    return true
  }

  /// Copies the tables of ACPI; how many bytes they have, nil where they are refused.
  private mutating func gather(
    _ pointer: UInt64, into place: UInt64, _ layout: BlockLayout
  ) -> UInt64? {
    let map = (block?.base ?? 0) &+ layout.map
    guard
      let known = FirmwareMemoryMap(
        services.bytes(map, layout.mapSize), descriptorSize: Int(layout.descriptorSize))
    else {
      problem = "the firmware's memory map cannot be read"
      return nil
    }
    do throws(ACPIError) {
      var copy = services.mutableBytes(place, layout.descriptionRoom)
      let gathering = try ACPIGathering(
        from: PhysicalAddress(pointer), in: MappedTables(map: known), into: &copy)
      guard gathering.rootSignature == .xsdt else {
        problem = "the firmware's ACPI has no XSDT"
        return nil
      }
      for index in gathering.tables.indices where gathering.tables[index].signature == .iort {
        root = RootTable(
          base: gathering.root.rawValue, entry: UInt64(gathering.tables[index].entry))
      }
      return UInt64(gathering.count)
    } catch {
      var line = LogLine("")
      error.write(into: &line)
      services.say(line)
      problem = "the tables of ACPI cannot be used"
      return nil
    }
  }

  /// Takes the memory that EL2 needs beside its image on the board that `bytes` describe; false where there is none.
  private mutating func takeMemory(bytes: Span<UInt8>, _ isTree: Bool) -> Bool {
    var limit = VirtualLayout.identityLimit
    var needed: UInt64?
    var diagnostics = FirstDiagnostics<Diagnostic>()
    func need(_ board: borrowing Board) {
      for index in board.itses.indices {
        limit = min(limit, board.itses[index].traits.addressLimit)
      }
      // The CPU that runs need not be among those that are described.
      needed = BoardMemory.size(
        cpus: board.cpus.count + 1, stack: el2_stack_size, itses: board.itses.count)
    }
    if isTree, let blob = try? DeviceTreeBlob(checking: bytes) {
      need(blob.readBoard(given: nil, reporting: &diagnostics))
    } else if !isTree, let tables = try? ACPITables(checking: bytes) {
      need(tables.readBoard(given: nil, reporting: &diagnostics))
    }
    guard let needed else {
      problem = "what describes the board cannot be read"
      return false
    }
    memory = services.allocate(.reserved, needed, alignment: 0x1_0000, below: limit)
    if memory == nil { problem = "no memory for EL2's stacks and tables" }
    return memory != nil
  }

  // MARK: On the firmware's stack

  private func takeOff() -> UInt64 {
    guard problem == nil, let block, el2_efi_take_off(copy.base, block.base, block.size) == 0 else {
      if problem != nil || !sayText() {
        _ = Self.refuse(services, problem ?? "EL2 cannot be entered with the image where it lies")
      }
      services.free(copy)
      if let memory { services.free(memory) }
      if let block { services.free(block) }
      return BootServices.loadError
    }
    // At EL1, and EL2 is not ours any more.
    _ = sayText()
    if pc_load64(block.base &+ FirmwareOffer.Word.hostUsed.offset) > 0 {
      let host = block.base &+ pc_load64(block.base &+ FirmwareOffer.Word.hostOffset.offset)
      if let root { root.name(host) } else { services.install(.deviceTree, host) }
    }
    services.install(.portcullis, block.base)
    return BootServices.success
  }

  /// Prints what EL2 has left; false where that is nothing.
  private func sayText() -> Bool {
    guard let block else { return false }
    let count = pc_load64(block.base &+ FirmwareOffer.Word.textUsed.offset)
    services.print(block.base &+ FirmwareOffer.textOffset, count)
    return count > 0
  }
}

/// The extended root table of ACPI (XSDT), and its entry for a table.
private struct RootTable {
  let base: UInt64
  /// Where the entry is, in bytes from the start of the table.
  let entry: UInt64

  /// Names a table at another address, with the checksum in step.
  func name(_ address: UInt64) {
    // It is the ninth byte, and the bytes of a table add up to zero.
    var sum = pc_load8(base &+ 9)
    for byte in 0..<8 as Range<UInt64> {
      let place = base &+ entry &+ byte
      let new = UInt8(truncatingIfNeeded: address >> (8 * byte))
      sum = sum &+ pc_load8(place) &- new
      pc_store8(place, new)
    }
    pc_store8(base &+ 9, sum)
  }
}

/// Memory that the firmware has mapped, as its memory map tells; and no register.
private struct MappedTables: ACPIMemory, ~Escapable {
  let map: FirmwareMemoryMap

  @_lifetime(copy map)
  init(map: FirmwareMemoryMap) { self.map = map }

  func byte(at address: PhysicalAddress) -> UInt8? {
    guard let byte = AddressRange(base: address, size: 1), map.touchesMemory(byte) else {
      return nil
    }
    return pc_load8(address.rawValue)
  }
}

/// Copies bytes between two addresses that are multiples of 8, up to 7 more than `size`.
private func copyWords(from source: UInt64, to target: UInt64, size: UInt64) {
  for offset in stride(from: 0, to: size, by: 8) {
    pc_store64(target &+ offset, pc_load64(source &+ offset))
  }
}

/// Where the parts of a block lie, in bytes from its beginning.
private struct BlockLayout {
  static var mapRoom: UInt64 { 0x1_0000 }
  static var optionsRoom: UInt64 { 0x1000 }
  /// Room for tables of ACPI: one of the CPUs has some 80 bytes for each.
  static var tablesRoom: UInt64 { 0x8_0000 }

  var mapSize: UInt64 = 0
  var descriptorSize: UInt64 = 0
  var optionsSize: UInt64 = 0
  var descriptionSize: UInt64 = 0
  let descriptionRoom: UInt64

  init(descriptionRoom: UInt64) { self.descriptionRoom = descriptionRoom }

  var map: UInt64 { FirmwareOffer.partsOffset }
  var options: UInt64 { map + Self.mapRoom }
  var description: UInt64 { options + Self.optionsRoom }
  /// A page behind the description at least.
  var host: UInt64 { (description + descriptionRoom + 0xfff) & ~0xfff }
  /// What is added to a description is a few properties.
  var hostSize: UInt64 { (descriptionRoom + 0x2fff) & ~0xfff }
  var size: UInt64 { host + hostSize }

  func write(to block: UInt64, memory: FirmwarePages?) {
    func store(_ word: FirmwareOffer.Word, _ value: UInt64) {
      pc_store64(block &+ word.offset, value)
    }
    store(.mapOffset, map)
    store(.mapSize, mapSize)
    store(.descriptorSize, descriptorSize)
    store(.optionsOffset, options)
    store(.optionsSize, optionsSize)
    store(.descriptionOffset, description)
    store(.descriptionSize, descriptionSize)
    store(.hostOffset, host)
    store(.hostSize, hostSize)
    store(.memoryBase, memory?.base ?? 0)
    store(.memorySize, memory?.size ?? 0)
  }
}
