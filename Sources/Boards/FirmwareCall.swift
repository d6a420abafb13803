// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// A service of firmware that a tree names by the number of its call: SCMI (Arm DEN 0056) by SMC, a node
/// compatible with `arm,scmi-smc`.
///
/// The call has no arguments. What it is about lies in memory that firmware and host share.
public struct FirmwareCall: Hashable, Sendable {
  /// Why a call is not relayed.
  public enum Refusal: Sendable {
    /// `arm,smc-id` is no fast call of the silicon provider or the OEM (Arm DEN 0028, section 6).
    case number
    /// `shmem` is not one node whose registers can be read, or a protocol has a channel of its own.
    case unknownMemory
    /// The shared memory is RAM: firmware would read and write what the host has given up.
    case hostMemory
    /// The shared memory overlaps registers that EL2 takes from the host.
    case protectedRegisters
    /// EL2's SMMUs must keep their power, which firmware could take.
    case power

    /// The reason in words, for a log.
    public var text: StaticString {
      switch self {
      case .number: "no fast call of the silicon provider or the OEM"
      case .unknownMemory: "its shared memory is not one node with registers"
      case .hostMemory: "its shared memory is RAM"
      case .protectedRegisters: "its shared memory overlaps protected registers"
      case .power: "it may take the power of SMMUs that EL2 owns"
      }
    }
  }

  /// The node.
  public let node: BoardNode
  /// `arm,smc-id`; zero where it can't be read.
  public let number: UInt32
  /// Why it is not relayed; nil where it is.
  public let refusal: Refusal?

  /// Describes a call.
  public init(node: BoardNode, number: UInt32, refusal: Refusal?) {
    self.node = node
    self.number = number
    self.refusal = refusal
  }
}

extension Board {
  /// Calls of firmware; at most 4.
  public typealias FirmwareCalls = FixedList<4, FirmwareCall>
  /// No call of firmware.
  public static var noFirmwareCalls: FirmwareCalls {
    FirmwareCalls(filler: FirmwareCall(node: .root, number: 0, refusal: .number))
  }
}
