// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// One event with its stamp; eight little-endian doublewords.
///
///     word 0   [7:0] kind   [15:8] ITS   [31:16] CPU   [39:32] flags   [47:40] small   [55:48] code
///     word 1   the clock: CNTPCT_EL0, or a step
///     words 2 to 7 by kind
///
///     kind        small    code     flags                          words
///     1 header                                                     magic, version, frequency
///     2 service                     0 handed over, 1 stalls,       frame, typer, arena,
///                                   2 non-coherent, 3 virtual      pages | CPUs << 32, interrupt limit,
///                                                                  commands | bytes << 32
///     3 table     index                                            fixed, fields
///     4 target                                                     RDbase
///     5 access    width    outcome  0 store, 1 forwarded           offset, value, duration
///     6 command            verdict                                 DW0 to DW3, address
///     7 hardware  width             0 write, 2 aborted             offset, value
///     8 pin                         0 granted                      base, pages
///     9 lost                                                       count
///
/// A code is 0 (done, accepted), 1 (again, later), or 2 and more (refused for reason `code - 2`). What
/// is not named is zero, and a record in which it isn't is damaged.
public struct TraceRecord: Hashable, Sendable {
  /// The bytes of a record.
  public static var size: Int { 64 }

  /// When, by the clock; of an access, when its trap began.
  public var time: UInt64
  /// The number of the CPU.
  public var cpu: UInt16
  /// The number of the ITS.
  public var its: UInt8
  /// What happened.
  public var event: TraceEvent

  /// Stamps an event.
  public init(time: UInt64, cpu: UInt16, its: UInt8, _ event: TraceEvent) {
    self.time = time
    self.cpu = cpu
    self.its = its
    self.event = event
  }
}
