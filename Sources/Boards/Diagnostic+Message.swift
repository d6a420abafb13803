// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture

extension Diagnostic {
  /// Writes `/node: property: what is wrong`.
  public func write(
    in blob: some BoardDescription & ~Escapable, into sink: inout some TextSink & ~Copyable
  ) {
    blob.writePath(of: node, into: &sink)
    sink.append(": ")
    if let property {
      sink.append(property.text)
      sink.append(": ")
    }
    writeMessage(in: blob, into: &sink)
  }

  /// Writes what is wrong, without node and property.
  public func writeMessage(
    in blob: some BoardDescription & ~Escapable, into sink: inout some TextSink & ~Copyable
  ) {
    switch reason {
    case .missing: sink.append("is missing")
    case .badLength(let length):
      sink.append("has an impossible length of ")
      sink.append(decimal: UInt64(max(length, 0)))
      sink.append(" bytes")
    case .badValue: sink.append("has a value that is not known")
    case .unsupportedCells(let cells):
      sink.append("addresses and sizes of ")
      sink.append(decimal: UInt64(cells))
      sink.append(" cells cannot be read")
    case .noSize: sink.append("has no size")
    case .noRanges(let bus):
      sink.append("cannot be reached by the CPU: no ranges in ")
      blob.writePath(of: bus, into: &sink)
    case .outsideRanges(let bus, let base, let size):
      sink.append(base: base, size: size)
      sink.append(" is not covered by the ranges of ")
      blob.writePath(of: bus, into: &sink)
    case .overflow(let base, let size):
      sink.append(base: base, size: size)
      sink.append(" passes the end of the address space")
    case .beyondPhysicalAddresses(let range):
      sink.append(range)
      sink.append(" is beyond 52-bit physical addresses")
    case .misalignedBase(let base, let granule):
      sink.append("base ")
      sink.append(hex: base.rawValue)
      sink.append(notMultipleOf: granule)
    case .misalignedSize(let size, let granule):
      sink.append("size ")
      sink.append(hex: size)
      sink.append(notMultipleOf: granule)
    case .tooSmall(let size):
      sink.append("size ")
      sink.append(hex: size)
      sink.append(" is less than a control frame of ")
      sink.append(hex: Board.controlFrameSize)
    case .noTranslationFrame: sink.append("ends before the translation frame")
    case .overlapsRegion(let range, let other):
      sink.append("overlaps ")
      sink.append(range)
      sink.append(" of ")
      blob.writePath(of: other, into: &sink)
    case .overlapsMemory(let range):
      sink.append("overlaps memory ")
      sink.append(range)
    case .tooMany(let limit):
      sink.append("more than ")
      sink.append(decimal: UInt64(max(limit, 0)))
    case .exceeds(let count, let limit):
      sink.append(decimal: UInt64(max(count, 0)))
      sink.append(" of them, more than ")
      sink.append(decimal: UInt64(max(limit, 0)))
    case .tooLarge(let size, let limit):
      sink.append("size ")
      sink.append(hex: size)
      sink.append(" is more than ")
      sink.append(hex: limit)
    case .disabled: sink.append("is disabled, and taken out of the host's reach all the same")
    case .notSupported: sink.append("is an interrupt controller that is not supported")
    case .untoldQueues:
      sink.append("may have command queues of its maker beside it, which no table tells of")
    case .notPSCI: sink.append("is not psci: the CPU may run the host at EL2")
    case .noPSCI: sink.append("there is no enabled PSCI to start the CPU")
    case .roomForFewer(let room, let cpus):
      sink.append("room for ")
      sink.append(decimal: room)
      sink.append(" Redistributors and ")
      sink.append(decimal: UInt64(max(cpus, 0)))
      sink.append(" CPUs: not started unless the last one says GICR_TYPER.Last")
    case .outsideRegions(let base):
      sink.append(hex: base.rawValue)
      sink.append(" lies in no region of Redistributors")
    case .outOfReach(let range):
      sink.append("the GIC has 32-bit addresses: its tables can't be in memory ")
      sink.append(range)
    case .noSuchNode: sink.append("names a node that does not exist")
    case .tooDeep(let limit):
      sink.append("nodes are nested deeper than ")
      sink.append(decimal: UInt64(max(limit, 0)))
    case .noGICv3: sink.append("the board has no GICv3")
    case .repeated: sink.append("is there a second time")
    case .unknownOption(let option): BootOptions.write(unknown: blob.span(option), into: &sink)
    case .moduleOverlaps(let range, let occupant):
      sink.append(range)
      sink.append(" overlaps ")
      write(occupant, in: blob, into: &sink)
    case .notMemory(let range):
      sink.append(range)
      sink.append(" is not all memory")
    case .misplacedKernel(let range, let textOffset):
      sink.append(range)
      sink.append(" does not begin ")
      if let textOffset {
        sink.append("a text offset of ")
        sink.append(hex: textOffset)
        sink.append(" above a multiple of 2 MiB")
      } else {
        sink.append("at a multiple of 4")
      }
    }
  }

  private func write(
    _ occupant: Occupant, in blob: some BoardDescription & ~Escapable,
    into sink: inout some TextSink & ~Copyable
  ) {
    switch occupant {
    case .module(let node, let range):
      sink.append(range)
      sink.append(" of ")
      blob.writePath(of: node, into: &sink)
    case .tree(let range):
      sink.append("the board's device tree ")
      sink.append(range)
    case .hypervisor(let range):
      sink.append("the hypervisor's image ")
      sink.append(range)
    }
  }
}

extension TextSink where Self: ~Copyable {
  /// Takes a byte of a description, which must not reach a terminal as it is.
  package mutating func append(printable byte: UInt8) {
    append(0x20 < byte && byte < 0x7f ? byte : 0x3f)
  }

  fileprivate mutating func append(base: UInt64, size: UInt64) {
    append(hex: base)
    append(" size ")
    append(hex: size)
  }

  fileprivate mutating func append(_ range: AddressRange) {
    append(base: range.base.rawValue, size: range.size)
  }

  fileprivate mutating func append(notMultipleOf granule: Granule) {
    append(" is not a multiple of the page size ")
    append(hex: granule.bytes)
  }
}
