// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import GIC

/// Why a command of the host was not carried out.
///
/// The raw values are indices for counters. 1 is not used: it stood for bits outside of the fields, which are
/// ignored.
public enum CommandRefusalReason: UInt8, Hashable, Sendable {
  /// The architecture reserves the number.
  case reservedCommand
  /// Virtual interrupts are not offered.
  case virtualInterrupts = 2
  /// The DeviceID is beyond the device table.
  case deviceOutOfRange
  /// The device is not mapped.
  case deviceNotMapped
  /// The EventID, or the count of EventIDs, is beyond what the device or the ITS has.
  case eventOutOfRange
  /// The INTID is no LPI, or beyond the limit of the policy.
  case interruptOutOfRange
  /// The collection is beyond the collection table.
  case collectionOutOfRange
  /// The collection is not mapped.
  case collectionNotMapped
  /// RDbase names no Redistributor of the board.
  case unknownTarget
  /// The ledger of devices is full.
  case tooManyDevices
  /// The vPEID is beyond the table of vPEs.
  case vpeOutOfRange
  /// The vPE is not mapped.
  case vpeNotMapped
  /// A table lies in pages that are not the host's own memory.
  case notHostMemory
  /// The memory set aside for tables is used up.
  case outOfMemory
  /// No device of the board has the DeviceID, and by the policy only theirs are mapped.
  case unknownDevice

  /// How many indices there are.
  public static var count: Int { Int(CommandRefusalReason.unknownDevice.rawValue) + 1 }

  /// The reason in words, for a log.
  public var text: StaticString {
    switch self {
    case .reservedCommand: "reserved command"
    case .virtualInterrupts: "virtual interrupts are not offered"
    case .deviceOutOfRange: "DeviceID out of range"
    case .deviceNotMapped: "device not mapped"
    case .eventOutOfRange: "EventID out of range"
    case .interruptOutOfRange: "INTID out of range"
    case .collectionOutOfRange: "collection out of range"
    case .collectionNotMapped: "collection not mapped"
    case .unknownTarget: "no such Redistributor"
    case .tooManyDevices: "too many devices"
    case .vpeOutOfRange: "vPEID out of range"
    case .vpeNotMapped: "vPE not mapped"
    case .notHostMemory: "not the host's memory"
    case .outOfMemory: "no memory left"
    case .unknownDevice: "no such device"
    }
  }
}

/// A refused command, for the log.
public struct CommandRefusal: Sendable {
  /// The command as EL2 read it.
  public let command: ITSCommand
  /// Why.
  public let reason: CommandRefusalReason
}
