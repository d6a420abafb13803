// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture

/// The first diagnostics of a description, kept until there is where to write them, and how many more there were.
public struct FirstDiagnostics<Kind> {
  private var kept = FixedList<16, Kind?>(filler: nil)
  /// How many were not kept.
  public private(set) var lostCount: UInt64 = 0

  /// Makes an empty list.
  public init() {}

  /// Keeps a diagnostic, or counts it.
  public mutating func report(_ diagnostic: Kind) {
    if !kept.append(diagnostic) { lostCount += 1 }
  }

  /// Has `body` get each that was kept, in the order in which they came.
  public func forEach(_ body: (Kind) -> Void) {
    for index in kept.indices {
      if let diagnostic = kept[index] { body(diagnostic) }
    }
  }
}

extension FirstDiagnostics: DiagnosticSink where Kind == Diagnostic {}
extension FirstDiagnostics: DMADiagnosticSink where Kind == DMADiagnostic {}
