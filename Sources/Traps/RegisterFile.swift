// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// The host's X0 to X30 as the exception vector saved them.
///
/// A leaf: the one place of this module that reaches memory by pointer. XZR reads as zero and
/// forgets what is written. For an AArch32 host process the same slots hold R0 to R14 (Arm ARM DDI
/// 0487, D1.20, mapping of the general-purpose registers between the Execution states).
@safe public struct RegisterFile {
  /// How many registers the vector saves.
  public static var count: Int { 31 }

  let first: UnsafeMutablePointer<UInt64>

  /// Takes the registers that start at `first`.
  ///
  /// Unsafe because the caller vouches that `first` is aligned, points to ``count`` initialised
  /// words, and that nothing else touches them while this value is in use.
  @inline(__always)
  @unsafe public init(_ first: UnsafeMutablePointer<UInt64>) { unsafe self.first = first }

  /// The value of a register.
  @inline(__always)
  public subscript(number: RegisterNumber) -> UInt64 {
    get {
      // A RegisterNumber is at most 31, and 31 is answered without memory: the access is in bounds.
      if number.isZeroRegister { return 0 }
      return unsafe first[Int(number.rawValue)]
    }
    nonmutating set {
      if number.isZeroRegister { return }
      // In bounds for the reason above.
      unsafe first[Int(number.rawValue)] = newValue
    }
  }
}
