// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Boards
internal import GIC
public import ITS

/// What there is to tell of a mediated ITS, in words for a log.
public enum ITSNews {
  /// Appends that a command of the host was refused.
  public static func write<Line: TextSink & ~Copyable>(
    _ refusal: CommandRefusal, of number: UInt8, to line: inout Line
  ) {
    line.append("ITS ")
    line.append(decimal: UInt64(number))
    line.append(": command refused: ")
    line.append(refusal.reason.text)
    for index in 0..<4 {
      line.append(" ")
      line.append(hex: refusal.command.words[index])
    }
  }

  /// Appends that the hardware has broken down.
  public static func writeBreakdown<Line: TextSink & ~Copyable>(
    of number: UInt8, to line: inout Line
  ) {
    line.append("ITS ")
    line.append(decimal: UInt64(number))
    line.append(": the hardware has broken down, and gets no further command")
  }
}
