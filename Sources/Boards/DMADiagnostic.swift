// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// Something in the description of DMA that can't be followed.
///
/// The board is not refused for it: who is described by it counts as not confined.
public struct DMADiagnostic: Hashable, Sendable {
  /// What is wrong, with the values that say why.
  public enum Reason: Hashable, Sendable {
    /// The property is not there.
    case missing
    /// The property has a length that it cannot have.
    case badLength(Int)
    /// The property has a value that it cannot have.
    case badValue(UInt32)
    /// The entry that begins with this requester passes the mask or the last number.
    case badEntry(UInt32)
    /// The entry that begins with this requester overlaps one before it.
    case overlap(UInt32)
    /// It refers to this place of its table, where no node begins that it may refer to.
    case badReference(UInt32)
    /// No ITS has this identifier.
    case noITS(UInt32)
    /// Another one has this value, which is to be one's own.
    case repeated(UInt32)
    /// There are more than this many.
    case tooMany(Int)
    /// This phandle is not that of an IOMMU.
    case noIOMMU(UInt32)
    /// This phandle is not that of an MSI controller.
    case noMSIController(UInt32)
    /// There are more than this many IOMMUs.
    case tooManyIOMMUs(Int)
    /// There are more than this many MSI controllers.
    case tooManyMSIControllers(Int)
    /// There are more than this many masters.
    case tooManyMasters(Int)
    /// There are more than this many ranges of streams.
    case tooManyPaths(Int)
    /// There are more than this many ranges of DeviceIDs.
    case tooManyDoorbells(Int)
  }

  /// The node that it is about.
  public let node: BoardNode
  /// The property that it is about, if one.
  public let property: DMAPropertyName?
  /// What is wrong.
  public let reason: Reason

  /// Makes a diagnostic.
  public init(node: BoardNode, property: DMAPropertyName?, reason: Reason) {
    self.node = node
    self.property = property
    self.reason = reason
  }
}

/// Who is told of what is wrong with the description of DMA.
public protocol DMADiagnosticSink: ~Copyable {
  /// Takes one diagnostic.
  mutating func report(_ diagnostic: DMADiagnostic)
}

extension DMADiagnostic {
  /// Writes what is wrong, without node and property.
  public func writeMessage(into sink: inout some TextSink & ~Copyable) {
    switch reason {
    case .missing: sink.append("is missing")
    case .badLength(let length):
      sink.append("has an impossible length of ")
      sink.append(decimal: UInt64(max(length, 0)))
      sink.append(" bytes")
    case .badValue(let value):
      sink.append("cannot be ")
      sink.append(hex: UInt64(value))
    case .badEntry(let requester):
      sink.append("the entry for ")
      sink.append(hex: UInt64(requester))
      sink.append(" passes the mask or the last number")
    case .overlap(let requester):
      sink.append("the entry for ")
      sink.append(hex: UInt64(requester))
      sink.append(" overlaps one before it")
    case .badReference(let offset):
      sink.append("refers to ")
      sink.append(hex: UInt64(offset))
      sink.append(", where no node begins that it may refer to")
    case .noITS(let identifier):
      sink.append("no ITS is number ")
      sink.append(decimal: UInt64(identifier))
    case .repeated(let value):
      sink.append("another one is ")
      sink.append(hex: UInt64(value))
    case .tooMany(let limit): sink.append(moreThan: limit, "of them")
    case .noIOMMU(let phandle):
      sink.append("no IOMMU has the phandle ")
      sink.append(hex: UInt64(phandle))
    case .noMSIController(let phandle):
      sink.append("no MSI controller has the phandle ")
      sink.append(hex: UInt64(phandle))
    case .tooManyIOMMUs(let limit): sink.append(moreThan: limit, "IOMMUs")
    case .tooManyMSIControllers(let limit): sink.append(moreThan: limit, "MSI controllers")
    case .tooManyMasters(let limit): sink.append(moreThan: limit, "DMA masters")
    case .tooManyPaths(let limit): sink.append(moreThan: limit, "ranges of streams")
    case .tooManyDoorbells(let limit): sink.append(moreThan: limit, "ranges of DeviceIDs")
    }
  }
}

extension TextSink where Self: ~Copyable {
  fileprivate mutating func append(moreThan limit: Int, _ what: StaticString) {
    append("more than ")
    append(decimal: UInt64(max(limit, 0)))
    append(" ")
    append(what)
    append(": what follows is left out")
  }
}
