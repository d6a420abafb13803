// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// A board of parts that somebody else has found, without a tree.
///
/// The parts are held to what is asked of those of a tree.
public struct BoardAssembly: ~Copyable {
  private var reader: BoardReader

  /// Begins a board without any part.
  public init(granule: Granule) { reader = BoardReader(granule: granule) }

  /// Sets what is known of the whole GIC, before ITSes are added; false for a Distributor that cannot be.
  public mutating func setGIC(_ distributor: AddressRange?, _ traits: ITSTraits) -> Bool {
    if let distributor {
      guard Self.isPlace(distributor, unit: Board.controlFrameSize) else { return false }
    }
    reader.board.distributor = distributor
    reader.board.gicTraits = traits
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
    guard Self.isPlace(region, unit: max(frame, reader.board.granule.bytes)),
      let control = AddressRange(base: region.base, size: frame)
    else { return false }
    guard isUsed else {
      return reader.board.unused.append(
        UnusedRegisters(kind: .its, node: .root, range: control))
    }
    let translation = region.base.advanced(by: frame).flatMap {
      region.size > frame ? AddressRange(base: $0, size: Board.translationFrameSize) : nil
    }
    var all = reader.board.gicTraits
    all.insert(traits)
    return reader.board.itses.append(
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
    return reader.board.redistributors.append(
      RedistributorRegion(node: .root, range: range, stride: stride, isUsed: isUsed))
  }

  /// Adds memory; false where it cannot be or there are too many ranges.
  public mutating func addMemory(_ range: AddressRange) -> Bool {
    range.last.rawValue < Board.physicalAddressLimit && reader.board.memory.append(range)
  }

  /// The board, which is refused where parts overlap; each that does is reported.
  public consuming func finish<Sink: DiagnosticSink & ~Copyable>(
    reporting sink: inout Sink
  ) -> Board {
    reader.checkOverlaps(&sink)
    let isEmpty = reader.board.itses.isEmpty && reader.board.unused.isEmpty
    reader.board.verdict = reader.isRefused ? .refused : isEmpty ? .nothingToProtect : .protectable
    return reader.finish()
  }
}
