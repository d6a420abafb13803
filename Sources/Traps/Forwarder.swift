// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// Carries an access of the host out on the hardware, with the width and at the place it asked for.
///
/// ## Order
///
/// The accesses are *relaxed*: one load or one store, without a barrier. That gives the host the
/// order that its own instruction would have had, for these reasons (Arm ARM DDI 0487, B2.3):
///
/// - A host that has written commands to memory and then rings a doorbell has a barrier (DMB or DSB)
///   between the two; without a hypervisor it needs one as well. A barrier orders the accesses of a
///   *PE*, whatever Exception level they come from, in program order. EL2's store follows the host's
///   barrier in the program order of the same PE, so that the barrier orders the commands before it.
/// - Taking the exception and returning are context synchronisation events, not barriers: they add
///   no order, and they reorder nothing either.
/// - After a load, a barrier or a dependency of the host orders what follows: EL2's load precedes it
///   in program order, and the value that the host continues with is the one that was loaded.
/// - Accesses to one device stay in order because EL2 maps it as Device memory without reordering
///   (nR). It must be mapped Device-nGnRnE, the strongest type, so that a host which chose it and
///   waits with a DSB for the device, not for a buffer on the way, gets what it asked for.
///
/// The exception is a host instruction that brings its order with it: LDAR, LDAPR and STLR, which
/// ISS.AR reports. Those get a full barrier before and after, which is at least what they promise.
///
/// A device that EL2 *mediates* can't rely on the host: what EL2 itself writes to memory for the
/// hardware, it must order itself before it forwards the doorbell.
public enum Forwarder {
  /// Loads what `access` describes from the device.
  ///
  /// Refused with `externalAbort` where the hardware answers with one.
  @inline(__always)
  public static func read<Memory: DeviceMemory & ~Copyable>(
    _ access: Access, through memory: borrowing Memory
  ) -> ReadEffect {
    // Before: LDAR is not reordered with an earlier STLR, which may have been forwarded too.
    if access.isOrdered { memory.orderAccesses() }
    guard let value = memory.read(access.width, at: access.address) else {
      return .refused(.externalAbort)
    }
    if access.isOrdered { memory.orderAccesses() }
    return .value(value)
  }

  /// Stores the low `access.width` of `value` to the device.
  ///
  /// Refused with `externalAbort` where the hardware answers with one.
  @inline(__always)
  public static func write<Memory: DeviceMemory & ~Copyable>(
    _ access: Access, _ value: UInt64, through memory: borrowing Memory
  ) -> WriteEffect {
    if access.isOrdered { memory.orderAccesses() }
    guard memory.write(access.width, value, at: access.address) else {
      return .refused(.externalAbort)
    }
    if access.isOrdered { memory.orderAccesses() }
    return .done
  }
}
