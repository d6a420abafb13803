// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
public import Boards

/// What an inspection finds out about one file.
///
/// Values are as in JSON schema 1: a range of a device is kept with the path of the node that it comes
/// from. Memory is kept without one: which node tells of it makes no difference to anybody.
public struct Report: Sendable {
  /// A range that Portcullis takes from the host, wholly or in part.
  public struct Region: Equatable, Sendable {
    /// What sort of device it is: `its`.
    public var kind: String
    /// The path of the node.
    public var node: String
    /// The first `reg` entry as the CPU sees it.
    public var range: AddressRange
    /// The part that is taken from the host, in whole pages: the control frame.
    public var protected: AddressRange
    /// The address of GITS_TRANSLATER, which stays with the host; nil where `reg` doesn't reach it.
    public var translater: PhysicalAddress?
  }

  /// A range of Redistributors.
  public struct Redistributors: Equatable, Sendable {
    /// The path of the interrupt controller's node.
    public var node: String
    /// The addresses.
    public var range: AddressRange
    /// The distance from one Redistributor to the next in bytes; nil where nothing tells.
    public var stride: UInt64?
  }

  /// A range of an IOMMU.
  public struct IOMMU: Equatable, Sendable {
    /// What sort it is: `smmu-v3`.
    public var kind: String
    /// The path of the node.
    public var node: String
    /// The addresses.
    public var range: AddressRange
  }

  /// Registers that are there, that the host does not use, and that are taken from it.
  public struct Unused: Equatable, Sendable {
    /// What sort it is: `its`, `smmu-v3`, `redistributors` or `cmdqv`.
    public var kind: String
    /// The path of the node, which is disabled.
    public var node: String
    /// What is taken.
    public var range: AddressRange
  }

  /// What a board is described by.
  public enum Source: String, Sendable {
    /// A device tree.
    case deviceTree = "device-tree"
    /// ACPI tables, which do not tell of memory.
    case acpi
  }

  /// The name of the file as it was given, of several tables all names; `-` for standard input.
  public var file: String
  /// What the board is described by.
  public var source = Source.deviceTree
  /// The board's `model`; of ACPI tables the OEM's identifiers in the MADT.
  public var model: String?
  /// The board's `compatible` strings.
  public var compatible: [String] = []
  /// The page size that the report is for.
  public var granule: Granule
  /// What is to be protected, in the order of the description.
  public var regions: [Region] = []
  /// What is disabled, and taken all the same.
  public var unused: [Unused] = []
  /// The Redistributors that are used.
  public var redistributors: [Redistributors] = []
  /// The IOMMUs.
  public var iommus: [IOMMU] = []
  /// The DMA masters, with the IOMMUs that they are behind, in the order of the description.
  public var dma: [DMA] = []
  /// The memory, a range for each entry of `reg` of a memory node, in the order of the description.
  public var memory: [AddressRange] = []
  /// What is where, in the order of addresses; pictures have it, not the JSON.
  var places: [Place] = []
  /// Whether EL2 drives the SMMUv3s, as the boot arguments have it.
  var ownsSMMUs = true
  /// What is to be said about the file.
  public var diagnostics: [Report.Diagnostic] = []
  /// What it comes to.
  public var verdict = Verdict.refused
  /// The status that a program ends with for this file alone.
  public var status = ExitStatus.refused

  /// Makes a report that has nothing yet.
  init(file: String, granule: Granule) {
    self.file = file
    self.granule = granule
  }

  /// Makes the report on a file that can't be opened or read, for `reason`.
  public static func unreadable(_ file: String, granule: Granule, reason: String) -> Report {
    var report = Report(file: file, granule: granule)
    report.fail(with: .cannotOpen, reason)
    return report
  }

  /// Refuses a file of which nothing can be told.
  mutating func fail(with status: ExitStatus, _ message: String) {
    self.status = status
    verdict = .refused
    diagnostics = [Diagnostic(severity: .error, message: message)]
  }
}
