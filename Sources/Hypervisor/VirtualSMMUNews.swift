// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Boards
internal import SMMU
public import VirtualSMMU

/// What there is to tell of a virtual SMMU, in words for a log.
public enum VirtualSMMUNews {
  /// Appends that something the host has asked for was refused.
  public static func write<Line: TextSink & ~Copyable>(
    _ refusal: SMMURefusal, of number: UInt8, to line: inout Line
  ) {
    writeName(number, &line)
    line.append("refused: ")
    line.append(refusal.reason.text)
    if let stream = refusal.stream {
      line.append(", stream ")
      line.append(hex: UInt64(stream.rawValue))
    }
    if let command = refusal.command {
      line.append(" ")
      line.append(hex: command.word0)
      line.append(" ")
      line.append(hex: command.word1)
    }
  }

  /// Appends that the hardware has broken down.
  public static func writeBreakdown<Line: TextSink & ~Copyable>(
    of number: UInt8, to line: inout Line
  ) {
    writeName(number, &line)
    line.append("the hardware does not confirm, and gets nothing further")
  }

  private static func writeName<Line: TextSink & ~Copyable>(_ number: UInt8, _ line: inout Line) {
    line.append("virtual SMMU ")
    line.append(decimal: UInt64(number))
    line.append(": ")
  }
}
