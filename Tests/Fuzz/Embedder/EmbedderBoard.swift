// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import CEmbedder
import Comparison
import GIC
import Glibc
import SMMU
import SimulatedHardware
import Simulation

/// What an embedder's board has.
struct EmbedderOptions {
  /// Whether Portcullis owns an SMMU.
  var hasSMMU = false
  /// What the SMMU is.
  var smmu = SMMUConfiguration()
  /// Whether it ends a command when a register is read.
  var isSlow = false
}

/// Looks at what the library asks its embedder for.
protocol EmbedderWitness: AnyObject {
  /// EL2 has read a register, or was answered with an abort.
  func hasRead(_ address: UInt64, _ value: UInt64?)
  /// EL2 is about to write one.
  func willWrite(_ address: UInt64, _ value: UInt64)
  /// EL2 has asked for pages of the host, and got them or not.
  func hasShared(_ pages: PageRange, isGranted: Bool)
  /// EL2 has let them go.
  func hasUnshared(_ pages: PageRange)
}

/// An embedder that has the library through its C header, and the board that both are on.
///
/// The host's memory and the hardware are simulated. What EL2 has is memory of this process, as the library makes
/// pointers of its addresses; hardware sees of it what was published or cleaned.
final class EmbedderBoard {
  /// The host's memory.
  static let host = pages(at: 0x4000_0000, size: 0x10_0000)
  /// Behind it that of another VM.
  static let other = pages(at: 0x4010_0000, size: 0x1_0000)
  /// Before it the memory of the ITS.
  static let pool = pages(at: 0x3fc0_0000, size: 0x40_0000)
  /// Before that the memory of the SMMU.
  private static let smmuMemory = pages(at: 0x3fb0_0000, size: 0x10_0000)
  static let distributor: UInt64 = 0x800_0000
  static let its: UInt64 = 0x808_0000
  static let redistributors: UInt64 = 0x80a_0000
  static let smmuFrame: UInt64 = 0x905_0000
  /// The translation frame of the ITS.
  static let doorbell = pages(at: its + 0x1_0000, size: 0x1_0000)
  /// The streams that have a device.
  static let streams: [ClosedRange<StreamID>] = [
    StreamID(8)...StreamID(11), StreamID(20)...StreamID(20),
  ]

  let options: EmbedderOptions
  let memory = PhysicalMemory(hasCache: false)
  let gic: SimulatedGIC
  let smmu: SimulatedSMMU?
  /// Behind a claim all calls go to it.
  private var gate: OpaquePointer?
  /// Whose a page is by the embedder's own record: the host's, or another VM's.
  private var isHosts: [Bool]
  /// Whether a page is on its way, or at another VM.
  private var isAway: [Bool]
  /// The CPU that runs the host.
  private var cpu = 0
  unowned(unsafe) var witness: (any EmbedderWitness)?
  /// CPUs that are under way at once.
  var race: EmbedderRace?
  /// What EL2 has read while the SMMU hangs: it looks a million times, and until it writes it sees the same.
  private var seen: [(address: UInt64, value: UInt64)]?
  /// The last line of the log.
  private(set) var line = ""

  private let state: UnsafeMutableRawPointer
  /// What EL2 has.
  private let block: UnsafeMutableRawPointer
  /// The memory of the SMMU as the hardware sees it.
  private var published: [UInt64]

  init(_ options: EmbedderOptions) {
    self.options = options
    gic = SimulatedGIC(memory: memory, processors: 2, redistributorBase: Self.redistributors)
    var configuration = ITSConfiguration()
    configuration.isCoherent = false
    gic.addService(at: Self.its, configuration)
    smmu =
      options.hasSMMU
      ? SimulatedSMMU(options.smmu, base: Self.smmuFrame, memory: memory) : nil
    isHosts = (0..<Self.host.count + Self.other.count).map { $0 < Self.host.count }
    isAway = isHosts.map { _ in false }
    state = .allocate(
      byteCount: Int(PORTCULLIS_STATE_SIZE), alignment: Int(PORTCULLIS_STATE_ALIGNMENT))
    let size = Int(Self.smmuMemory.count + Self.pool.count) << 12
    block = .allocate(byteCount: size, alignment: 1 << 16)
    block.initializeMemory(as: UInt8.self, repeating: 0, count: size)
    published = [UInt64](repeating: 0, count: Int(Self.smmuMemory.count) << 9)
    if options.isSlow { smmu?.pace = .steps(1) }
    smmu?.onTransfer = { [unowned self] access, value in
      // EL2 reads the hardware's events.
      if access.use == .eventQueue, let value {
        place(access.address)?.storeBytes(of: value, as: UInt64.self)
        published[Int(access.address - Self.smmuMemory.first.address.rawValue) / 8] = value
      }
      return nil
    }
  }

  deinit {
    state.deallocate()
    block.deallocate()
  }

  /// The memory that EL2 has.
  var hypervisor: PageRange {
    guard options.hasSMMU else { return Self.pool }
    return pages(Self.smmuMemory.first.rawValue, Self.smmuMemory.count + Self.pool.count)
  }

  /// Has the library claim the board; what it answers.
  func claim() -> portcullis_status {
    var operations = operations
    return withUnsafeMutablePointer(to: &operations) { claim($0) }
  }

  private func claim(_ operations: UnsafeMutablePointer<portcullis_ops>) -> portcullis_status {
    var config = portcullis_config()
    config.size = MemoryLayout<portcullis_config>.size
    config.version = UInt32(PORTCULLIS_VERSION)
    config.page_size = 4096
    config.ops = UnsafePointer(operations)
    config.cpus = 2
    config.policy = options.hasSMMU ? PORTCULLIS_POLICY_OWN_SMMUS : 0
    config.linear_base = distance
    config.pool = Self.pool.inC
    var board = portcullis_board()
    board.size = MemoryLayout<portcullis_board>.size
    board.distributor = Self.distributor
    board.its_count = 1
    board.its.0 = portcullis_its(
      registers: pages(at: Self.its, size: 0x2_0000).inC,
      traits: PORTCULLIS_TRAIT_NOT_COHERENT, is_unused: 0)
    board.redistributors_count = 1
    board.redistributors.0 = portcullis_redistributors(
      registers: pages(at: Self.redistributors, size: 0x4_0000).inC, stride: 0, is_unused: 0)
    board.memory_count = 1
    let ram = hypervisor.count + Self.host.count + Self.other.count
    board.memory.0 = pages(hypervisor.first.rawValue, ram).inC
    var status = portcullis_init_board(
      state, Int(PORTCULLIS_STATE_SIZE), &config, &board, &gate)
    if status == PORTCULLIS_OK, options.hasSMMU { status = addSMMU() }
    return status == PORTCULLIS_OK ? portcullis_claim(gate) : status
  }

  private func addSMMU() -> portcullis_status {
    var smmus = portcullis_smmus()
    smmus.size = MemoryLayout<portcullis_smmus>.size
    smmus.smmu_count = 1
    smmus.smmu.0.registers = pages(at: Self.smmuFrame, size: 0x2_0000).inC
    smmus.smmu.0.streams_count = 2
    let streams = Self.streams.map {
      portcullis_streams(first: $0.lowerBound.rawValue, last: $0.upperBound.rawValue)
    }
    (smmus.smmu.0.streams.0, smmus.smmu.0.streams.1) = (streams[0], streams[1])
    var memory = Self.smmuMemory.inC
    return portcullis_add_smmus(gate, &smmus, &memory)
  }

  /// The state of the library.
  var library: OpaquePointer {
    guard let gate else { fatalError("nothing is claimed") }
    return gate
  }

  // MARK: Pages

  /// Whether a page is the host's by the embedder's record.
  func isHosts(_ page: PageFrameNumber) -> Bool {
    index(page).map { isHosts[$0] } ?? false
  }

  /// Changes the record.
  func setHosts(_ range: PageRange, _ isTrue: Bool) {
    for index in indices(range) { isHosts[index] = isTrue }
  }

  private func indices(_ range: PageRange) -> [Int] {
    range.frameNumbers.compactMap { index(PageFrameNumber($0)) }
  }

  private func index(_ page: PageFrameNumber) -> Int? {
    let distance = page.rawValue &- Self.host.first.rawValue
    return distance < UInt64(isHosts.count) ? Int(distance) : nil
  }

  /// Asks whether pages may leave the host; with HELD the page.
  func mayGiveAway(_ range: PageRange) -> (status: portcullis_status, held: UInt64) {
    var pages = range.inC
    var held: UInt64 = 0
    let status = portcullis_may_give_away(gate, &pages, &held)
    if status == PORTCULLIS_OK { for index in indices(range) { isAway[index] = true } }
    return (status, held)
  }

  /// Says that pages are the host's again.
  func took(_ range: PageRange) -> portcullis_status {
    var pages = range.inC
    let status = portcullis_took(gate, &pages)
    if status == PORTCULLIS_OK { for index in indices(range) { isAway[index] = false } }
    return status
  }

  // MARK: The SMMU

  /// So many more commands, and the SMMU ends none any more; nil undoes it.
  func hang(after count: UInt64?) {
    smmu?.hang(after: count)
    seen = count == nil ? nil : []
    // It goes on by itself, where no read has it do so.
    if count == nil, smmu?.pace == .instant { smmu?.run() }
  }

  // MARK: Traps

  /// The host loads, or stores a value; nil where it gets an abort.
  func access(
    _ width: AccessWidth, _ address: UInt64, _ value: UInt64? = nil, by cpu: Int = 0
  ) -> (trap: portcullis_trap, value: UInt64) {
    self.cpu = cpu
    var frame = portcullis_frame()
    frame.x.1 = value ?? 0
    // A data abort from EL1, a translation fault at level 3, with a valid syndrome.
    var syndrome: UInt64 = 0x24 << 26 | 1 << 25 | 1 << 24 | 1 << 16 | 0x7
    syndrome |= UInt64(width.bytes.trailingZeroBitCount) << 22
    if width == .double { syndrome |= 1 << 15 }
    if value != nil { syndrome |= 1 << 6 }
    let trap = portcullis_handle_trap(gate, &frame, syndrome, address, (address >> 12) << 4, nil)
    return (trap, frame.x.1)
  }

  // MARK: What EL2 sees

  /// Where physical address 0 is, modulo 2^64.
  private var distance: UInt64 {
    UInt64(UInt(bitPattern: block)) &- Self.smmuMemory.first.address.rawValue
  }

  private func place(_ address: UInt64) -> UnsafeMutableRawPointer? {
    let page = PageFrameNumber(containing: PhysicalAddress(address))
    guard hypervisor.contains(page) else { return nil }
    return block + Int(address - Self.smmuMemory.first.address.rawValue)
  }

  fileprivate func clean(_ address: UInt64, _ bytes: UInt64) {
    let base = address &- distance
    guard place(base) != nil, bytes > 0 else { return }
    for at in stride(from: base & ~7, to: base + bytes, by: 8) {
      guard let word = place(at)?.load(as: UInt64.self) else { break }
      if memory.load(.double, at: at) != word { memory.storeAsHypervisor(word, at: at) }
    }
  }

  fileprivate func publish() {
    let base = Self.smmuMemory.first.address.rawValue
    guard options.hasSMMU, let words = place(base) else { return }
    for page in 0..<published.count / 512 {
      let isSame = published.withUnsafeBytes { known in
        known.baseAddress.map { memcmp($0 + page * 4096, words + page * 4096, 4096) == 0 } ?? true
      }
      if isSame { continue }
      for index in page * 512..<page * 512 + 512 {
        let word = words.load(fromByteOffset: index * 8, as: UInt64.self)
        guard word != published[index] else { continue }
        published[index] = word
        memory.storeAsHypervisor(word, at: base + UInt64(index) * 8)
      }
    }
  }

  fileprivate func read(_ address: UInt64, _ width: AccessWidth) -> UInt64? {
    if let again = seen?.first(where: { $0.address == address }) { return again.value }
    if seen != nil { smmu?.run() }
    let value: UInt64? =
      if address &- Self.distributor < 0x1_0000 {
        // GICD_TYPER.IDbits: 16 bits.
        address == Self.distributor + 4 ? 15 << 19 : 0
      } else if let smmu, address &- Self.smmuFrame < 0x2_0000 {
        smmu.read(width, at: address - Self.smmuFrame)
      } else {
        gic.read(width, at: address)
      }
    witness?.hasRead(address, value)
    if let value { seen?.append((address, value)) }
    return value
  }

  fileprivate func write(_ address: UInt64, _ width: AccessWidth, _ value: UInt64) -> Bool {
    witness?.willWrite(address, value)
    if seen != nil { seen = [] }
    if let smmu, address &- Self.smmuFrame < 0x2_0000 {
      return smmu.write(width, value, at: address - Self.smmuFrame)
    }
    return gic.write(width, value, at: address)
  }

  /// It agrees to what is away, too: the library has to refuse that by itself.
  fileprivate func share(_ range: PageRange) -> Bool {
    let isGranted = range.frameNumbers.allSatisfy { page in
      index(PageFrameNumber(page)).map { isHosts[$0] || isAway[$0] } ?? false
    }
    witness?.hasShared(range, isGranted: isGranted)
    race?.isAsked(for: range)
    return isGranted
  }

  fileprivate func unshare(_ range: PageRange) { witness?.hasUnshared(range) }

  fileprivate func reach(_ address: UInt64) -> (kinds: UInt32, bytes: UInt64) {
    let page = PageFrameNumber(containing: PhysicalAddress(address))
    guard let first = index(page) else {
      let start = Self.host.first.address.rawValue
      return (0, (address < start ? start : 1 << 48) - address)
    }
    let end = isHosts[first...].firstIndex { $0 != isHosts[first] } ?? isHosts.count
    let kinds = PORTCULLIS_KIND_READ | PORTCULLIS_KIND_WRITE
    return (isHosts[first] ? kinds : 0, UInt64(end - first) << 12)
  }

  fileprivate func load(_ address: UInt64) -> UInt64 {
    memory.load(.double, at: address &- distance)
  }
  fileprivate func store(_ word: UInt64, _ address: UInt64) {
    memory.storeAsHypervisor(word, at: address &- distance)
  }
  /// MPIDR_EL1 of the CPU that runs the host; no other register matters.
  fileprivate func register(_ name: portcullis_register) -> UInt64 {
    name == PORTCULLIS_MPIDR_EL1 ? UInt64(cpu) : 0
  }
  fileprivate func log(_ text: UnsafeBufferPointer<UInt8>) {
    line = String(decoding: text, as: UTF8.self)
  }
}

// MARK: The operations

extension EmbedderBoard {
  /// The board behind the context of an operation.
  private static func of(_ context: UnsafeMutableRawPointer?) -> EmbedderBoard {
    guard let context else { fatalError("an operation without its context") }
    return Unmanaged<EmbedderBoard>.fromOpaque(context).takeUnretainedValue()
  }

  private var operations: portcullis_ops {
    var table = portcullis_ops()
    table.size = MemoryLayout<portcullis_ops>.size
    table.context = Unmanaged.passUnretained(self).toOpaque()
    setTranslations(of: &table)
    setMemory(of: &table)
    table.device_read = { context, address, width, value in
      guard let found = EmbedderBoard.of(context).read(address, AccessWidth(bytes: width)) else {
        return -1
      }
      value?.pointee = found
      return 0
    }
    table.device_write = { context, address, width, value in
      EmbedderBoard.of(context).write(address, AccessWidth(bytes: width), value) ? 0 : -1
    }
    table.order_accesses = { context in }
    table.register_read = { context, name in EmbedderBoard.of(context).register(name) }
    table.register_write = { _, _, _ in }
    table.log = { context, _, text, length in
      guard let text else { return }
      text.withMemoryRebound(to: UInt8.self, capacity: length) {
        EmbedderBoard.of(context).log(UnsafeBufferPointer(start: $0, count: length))
      }
    }
    table.cpu_index = { context in UInt32(EmbedderBoard.of(context).cpu) }
    return table
  }

  /// Both agree to everything; EL2 sees registers at their physical addresses.
  private func setTranslations(of table: inout portcullis_ops) {
    table.host_prepare = { _, _, _, _ in 0 }
    table.host_commit = { _, _, _ in }
    table.host_abort = { _, _, _, _ in }
    table.el2_prepare = { _, _, _ in 0 }
    table.el2_commit = { _, pages in pages?.pointee.base ?? .max }
    table.el2_abort = { _, _, _ in }
    table.el2_unmap = { _, _, _ in }
  }

  private func setMemory(of table: inout portcullis_ops) {
    table.host_share = { context, range in
      guard let range else { return -1 }
      return EmbedderBoard.of(context).share(range.pointee.inSwift) ? 0 : -1
    }
    table.host_unshare = { context, range in
      if let range { EmbedderBoard.of(context).unshare(range.pointee.inSwift) }
    }
    table.host_reach = { context, address, bytes in
      let found = EmbedderBoard.of(context).reach(address)
      bytes?.pointee = found.bytes
      return found.kinds
    }
    table.host_read = { context, address, words, count in
      for index in 0..<count {
        words?[index] = EmbedderBoard.of(context).load(address + UInt64(index) * 8)
      }
      return 0
    }
    table.host_write = { context, address, word in
      EmbedderBoard.of(context).store(word, address)
      return 0
    }
    table.clean = { context, address, bytes in EmbedderBoard.of(context).clean(address, bytes) }
    table.publish = { context in EmbedderBoard.of(context).publish() }
  }
}

extension AccessWidth {
  fileprivate init(bytes: UInt32) {
    self =
      switch bytes {
      case 1: .byte
      case 2: .half
      case 4: .word
      default: .double
      }
  }
}

extension PageRange {
  /// As the header has it.
  fileprivate var inC: portcullis_pages {
    portcullis_pages(base: first.address.rawValue, bytes: count << PageFrameNumber.shift)
  }
}

extension portcullis_pages {
  fileprivate var inSwift: PageRange { pages(at: base, size: bytes) }
}

/// Memory as the hardware sees it, for the comparison.
struct HardwareMemory: ComparedMemory {
  let memory: PhysicalMemory
  func word(at address: UInt64) -> UInt64 { memory.load(.double, at: address) }
}
