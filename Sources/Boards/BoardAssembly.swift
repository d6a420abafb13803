// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// A board in the making: its parts are added by who reads them, each is held to the same, and then all together.
public struct BoardAssembly: ~Copyable {
  /// The board, as far as it is known.
  package var board: Board
  /// What a diagnostic calls the registers of a part.
  package var registers = PropertyName.reg
  /// What a diagnostic calls that which says who starts a CPU.
  package var starter = PropertyName.enableMethod
  /// Ranges that the host has for itself, and that may overlap nothing else.
  var windows = FixedList<64, Window>(filler: .filler)
  /// What is known of the CPUs.
  package var processors = Processors()
  /// Where the description should name PSCI; nil where it has no such place.
  package var psciNode: BoardNode?
  /// Whether a GICv3 was found, whatever its status and readable or not.
  package var hasGICv3 = false
  /// The node of the Distributor.
  package var distributorNode = BoardNode.root
  /// Which modules name no kind, one bit an index.
  package var untyped: UInt64 = 0
  /// Whether an error was reported.
  var isRefused = false
  /// How many ITSes were found, used or not, readable or not.
  var itsCount = 0
  /// How many ITSes in use were found, readable or not.
  var usedITSCount = 0
  /// How many CPUs in use were found.
  var cpuCount = 0
  /// The first ITS, and the first CPU, that there was no room for.
  var excessITS: BoardNode?
  var excessCPU: BoardNode?
  /// The lists whose overflow was reported, one bit a list.
  private var overflowed: UInt16 = 0

  /// Begins a board without any part.
  public init(granule: Granule) { board = Board(granule: granule) }

  /// The board, as far as it was assembled.
  package consuming func finish() -> Board { board }

  package mutating func report<Sink: DiagnosticSink & ~Copyable>(
    _ severity: Diagnostic.Severity, _ node: BoardNode, _ property: PropertyName?,
    _ reason: Diagnostic.Reason, _ sink: inout Sink
  ) {
    if severity == .error { isRefused = true }
    sink.report(Diagnostic(severity: severity, node: node, property: property, reason: reason))
  }

  /// The lists of a board, for what is reported once a list.
  enum List: UInt8 {
    case redistributors, iommus, monitors, companions, unused, memory, reserved, modules, windows
  }

  /// Reports that `list` can't hold `node`; once a list, for a hostile description could repeat it forever.
  mutating func reportOverflow<Sink: DiagnosticSink & ~Copyable>(
    of list: List, limit: Int, _ severity: Diagnostic.Severity, _ node: BoardNode,
    _ property: PropertyName?, _ sink: inout Sink
  ) {
    let bit = UInt16(1) << UInt16(list.rawValue)
    guard overflowed & bit == 0 else { return }
    overflowed |= bit
    report(severity, node, property, .tooMany(limit), &sink)
  }
}

/// A range that the host has for itself, such as PCI's configuration space.
struct Window {
  let node: BoardNode
  let range: AddressRange

  static var filler: Window { Window(node: .root, range: .filler) }
}

// Parts that somebody tells who has no description: they have no node.
extension BoardAssembly {
  /// Sets what is known of the whole GIC, before ITSes are added; false for a Distributor that cannot be.
  public mutating func setGIC(_ distributor: AddressRange?, _ traits: ITSTraits) -> Bool {
    if let distributor {
      guard Self.isPlace(distributor, unit: Board.controlFrameSize) else { return false }
    }
    board.distributor = distributor
    board.gicTraits = traits
    return true
  }

  private static func isPlace(_ range: AddressRange, unit: UInt64) -> Bool {
    range.base.isAligned(to: unit) && range.size % unit == 0
      && range.last.rawValue < Board.physicalAddressLimit
  }

  /// Adds an ITS by all its registers, of which the control frame comes first; false where it cannot be or there are
  /// too many.
  public mutating func addITS(_ region: AddressRange, _ traits: ITSTraits, isUsed: Bool) -> Bool {
    let frame = Board.controlFrameSize
    guard Self.isPlace(region, unit: max(frame, board.granule.bytes)),
      let control = AddressRange(base: region.base, size: frame)
    else { return false }
    guard isUsed else {
      return board.unused.append(UnusedRegisters(kind: .its, node: .root, range: control))
    }
    let translation = region.base.advanced(by: frame).flatMap {
      region.size > frame ? AddressRange(base: $0, size: Board.translationFrameSize) : nil
    }
    var all = board.gicTraits
    all.insert(traits)
    return board.itses.append(
      ITSDescription(
        node: .root, region: region, controlFrame: control, translationFrame: translation,
        traits: all, preITS: nil))
  }

  /// Adds a region of Redistributors; false where it cannot be or there are too many.
  public mutating func addRedistributors(
    _ range: AddressRange, stride: UInt64?, isUsed: Bool
  ) -> Bool {
    guard Self.isPlace(range, unit: Board.controlFrameSize),
      range.size <= Board.redistributorRegionLimit,
      stride.map({ $0 >= Board.leastRedistributorSize && $0 % Board.controlFrameSize == 0 }) ?? true
    else { return false }
    return board.redistributors.append(
      RedistributorRegion(node: .root, range: range, stride: stride, isUsed: isUsed))
  }

  /// Adds memory; false where it cannot be or there are too many ranges.
  public mutating func addMemory(_ range: AddressRange) -> Bool {
    range.last.rawValue < Board.physicalAddressLimit && board.memory.append(range)
  }

  /// The board, which is refused where parts overlap; each that does is reported.
  public consuming func finish<Sink: DiagnosticSink & ~Copyable>(
    reporting sink: inout Sink
  ) -> Board {
    checkOverlaps(&sink)
    let isEmpty = board.itses.isEmpty && board.unused.isEmpty
    board.verdict = isRefused ? .refused : isEmpty ? .nothingToProtect : .protectable
    return finish()
  }
}
