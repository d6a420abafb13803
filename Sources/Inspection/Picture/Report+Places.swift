// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Boards

extension Report {
  /// A range of the address map.
  struct Place: Equatable {
    /// What is there, in the order in which a picture has them where they begin at the same address.
    enum Kind: Int {
      /// RAM.
      case memory
      /// Memory that is set aside.
      case reserved
      /// Memory that is set aside and must not be mapped.
      case unmapped
      /// The Distributor.
      case distributor
      /// An ITS: its control frame and the frame of GITS_TRANSLATER.
      case its
      /// The window of a bridge before an ITS, which devices write their interrupts to.
      case preITS
      /// Redistributors.
      case redistributors
      /// The registers of an SMMUv3.
      case smmu
      /// The registers of hardware that has command queues for an SMMUv3.
      case companion
      /// The registers of a performance monitor of an SMMUv3.
      case monitor
      /// Registers that are disabled, and taken.
      case unused
      /// The console.
      case console
    }

    /// What is there.
    var kind: Kind
    /// What it would be if it were not disabled.
    var disabled: String?
    /// The path of the node; nil where the tree has none for it, or it makes no difference.
    var node: String?
    /// The addresses.
    var range: AddressRange
  }

  /// Takes over what is where.
  mutating func takePlaces(of board: borrowing Board, _ path: (BoardNode) -> String) {
    var places: [Place] = []
    func add(
      _ kind: Place.Kind, _ node: BoardNode?, _ range: AddressRange, disabled: String? = nil
    ) {
      places.append(Place(kind: kind, disabled: disabled, node: node.map(path), range: range))
    }
    for index in board.memory.indices { add(.memory, nil, board.memory[index]) }
    for index in board.reserved.indices {
      let reserved = board.reserved[index]
      add(reserved.isUnmapped ? .unmapped : .reserved, reserved.node, reserved.range)
    }
    if let distributor = board.distributor { add(.distributor, nil, distributor) }
    for index in board.itses.indices {
      let its = board.itses[index]
      add(.its, its.node, its.region)
      if let window = its.preITS { add(.preITS, its.node, window) }
    }
    for index in board.redistributors.indices {
      let region = board.redistributors[index]
      add(
        region.isUsed ? .redistributors : .unused, region.node, region.range,
        disabled: region.isUsed ? nil : "Redistributors")
    }
    for index in board.iommus.indices {
      add(.smmu, board.iommus[index].node, board.iommus[index].range)
    }
    for index in board.companions.indices {
      add(.companion, board.companions[index].node, board.companions[index].range)
    }
    for index in board.monitors.indices {
      add(.monitor, board.monitors[index].node, board.monitors[index].range)
    }
    for index in board.unused.indices {
      let registers = board.unused[index]
      let name =
        switch registers.kind {
        case .its: "ITS"
        case .smmuV3: "SMMUv3"
        case .companion: "CMDQV"
        }
      add(.unused, registers.node, registers.range, disabled: name)
    }
    if let console = board.console { add(.console, console.node, console.range) }
    self.places = places.sorted { $0.order < $1.order }
    ownsSMMUs = board.options.smmuPolicy.isOwning
  }
}

extension Report.Place {
  /// Low addresses come first, and what lies in something comes behind it.
  fileprivate var order: (UInt64, UInt64, Int, String) {
    (range.base.rawValue, ~range.size, kind.rawValue, node ?? "")
  }
}
