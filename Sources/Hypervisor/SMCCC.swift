// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

package import Traps

/// The SMC Calling Convention (Arm DEN 0028): how the host calls firmware and hypervisor.
public enum SMCCC {
  /// What an unknown or unserved function returns in x0 (DEN 0028, section 5.2): -1.
  public static let notSupported = UInt64(bitPattern: -1)

  /// The arguments of one call, x0 to x3; later arguments are used by no function served here.
  public struct Call: Equatable, Sendable {
    /// W0: which function is called.
    public var function: UInt32
    /// x1.
    public var argument1: UInt64
    /// x2.
    public var argument2: UInt64
    /// x3.
    public var argument3: UInt64

    /// Makes a call.
    public init(_ function: UInt32, _ a1: UInt64 = 0, _ a2: UInt64 = 0, _ a3: UInt64 = 0) {
      self.function = function
      argument1 = a1
      argument2 = a2
      argument3 = a3
    }

    /// Whether the caller used the 64-bit convention; otherwise only the low words count
    /// (DEN 0028, section 2.5: bit 30).
    public var is64Bit: Bool { function >> 30 & 1 == 1 }

    /// Bit 16 of a fast call's number, since version 1.3: no live state of SVE (DEN 0028, table 2-1).
    ///
    /// It is a hint, and no part of the name: no callee has to make use of it.
    private static var noSVEState: UInt32 { 1 << 16 }

    /// The call as the convention defines it: a fast call without the hint, and 32-bit arguments of a 32-bit
    /// call.
    public var normalized: Call {
      let isFast = function >> 31 == 1
      let function = isFast ? function & ~Self.noSVEState : function
      guard !is64Bit else { return Call(function, argument1, argument2, argument3) }
      return Call(
        function, argument1 & 0xffff_ffff, argument2 & 0xffff_ffff, argument3 & 0xffff_ffff)
    }
  }

  /// The results of one call; those of x0 to x3 that a function does not use are zero.
  public struct Result: Equatable, Sendable {
    /// x0: the status or the first value.
    public var x0: UInt64
    /// x1.
    public var x1: UInt64 = 0
    /// x2.
    public var x2: UInt64 = 0
    /// x3.
    public var x3: UInt64 = 0
    /// x4; nil keeps the caller's, as functions with at most four results must.
    public var x4: UInt64?

    /// Makes a result of a single value.
    public init(_ x0: UInt64) { self.x0 = x0 }
  }
}

// How a call stands in the registers of its caller.
extension SMCCC.Call {
  /// The call, as the convention defines it.
  @inline(__always)
  package init(_ registers: RegisterFile) {
    self =
      SMCCC.Call(
        UInt32(truncatingIfNeeded: registers[RegisterNumber(0)]), registers[RegisterNumber(1)],
        registers[RegisterNumber(2)], registers[RegisterNumber(3)]
      ).normalized
  }
}

extension SMCCC.Result {
  /// Gives the results to the caller.
  @inline(__always)
  package func store(in registers: RegisterFile) {
    registers[RegisterNumber(0)] = x0
    registers[RegisterNumber(1)] = x1
    registers[RegisterNumber(2)] = x2
    registers[RegisterNumber(3)] = x3
    // Callers by SMCCC 1.1 and later keep x4 and above unless the function says otherwise.
    if let x4 { registers[RegisterNumber(4)] = x4 }
  }
}

/// The firmware at EL3, or what takes its place.
public protocol Firmware: ~Copyable {
  /// Calls firmware by SMC; returns x0 to x3.
  func call(_ call: SMCCC.Call) -> SMCCC.Result
}
