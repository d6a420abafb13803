// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
public import Boards

/// What becomes of the masters of a board that no IOMMU confines: they are reported, and by policy those
/// whose registers can be taken from the host are claimed, so that it can't program them.
///
/// A master is claimed with all pages that its registers are in. It can't be where that would take something
/// else from the host too, and so it is with a PCI host bridge and other buses: their devices can be
/// programmed without them. Whatever a master was told to do before the host is entered it goes on with.
public struct UnconfinedMasters: Sendable {
  /// The most ranges of pages that are claimed.
  public static let rangeLimit = 16
  /// The most pages that the registers of one master may take.
  public static let pageLimit: UInt64 = 4096

  /// What becomes of a master.
  public enum Fate: UInt8, Hashable, Sendable {
    /// It is confined.
    case confined
    /// Its registers are claimed.
    case claimed
    /// It is the host's, for the policy claims none.
    case open
    /// It is the host's: devices on a bus can be programmed without the bus.
    case bus
    /// It is the host's: it has no registers that can be found.
    case withoutRegisters
    /// It is the host's: its registers share pages with others, or with memory.
    case shared
    /// It is the host's: its registers are too large, or there are too many of them.
    case tooLarge

    /// What is said of it in a log, behind where its accesses pass.
    public var text: StaticString {
      switch self {
      case .confined: "confined"
      case .claimed: "its registers are claimed"
      case .open: "it is the host's"
      case .bus: "it is the host's, for it is a bus"
      case .withoutRegisters: "it is the host's, for its registers are not known"
      case .shared: "it is the host's, for its registers share pages"
      case .tooLarge: "it is the host's, for its registers are too large"
      }
    }
  }

  /// Which IOMMUs confine what is behind them.
  public enum Drivers: Sendable {
    /// None: nothing is confined.
    case none
    /// The SMMUs that EL2 can drive.
    case ours
    /// All that the tree enables: somebody else at EL2 drives them.
    case others

    func confine(_ path: DMAPath.Confinement) -> Bool {
      switch self {
      case .none: false
      case .ours: path == .confined
      case .others: path == .confined || path == .notDriven
      }
    }
  }

  /// What becomes of each master, by its index.
  private var fates = InlineArray<256, Fate>(repeating: .confined)
  /// What the first path of each passes that is not confined; `confined` where there is none such.
  private var reasons = InlineArray<256, DMAPath.Confinement>(repeating: .confined)
  /// The pages of those that are claimed.
  public private(set) var pages = PageList()
  /// How many masters are claimed.
  public private(set) var claimedCount = 0
  /// How many masters are not confined, claimed or not.
  public private(set) var count = 0

  /// What becomes of the master with this index.
  public subscript(master: Int) -> Fate { fates[master] }

  /// Decides.
  ///
  /// - Parameters:
  ///   - topology: what was read from `blob`, of which `board` was read.
  ///   - drivers: which IOMMUs confine what is behind them.
  ///   - claims: whether masters are claimed where they can be.
  public init<Description: HardwareDescription & ~Escapable>(
    _ topology: borrowing DMATopology, _ board: borrowing Board, _ blob: Description,
    drivers: Drivers, claims: Bool
  ) {
    let paths = topology.paths.span
    for index in paths.indices {
      let path = paths[index]
      if drivers.confine(path.confinement) { continue }
      fates[path.master] = claims ? .claimed : .open
      if reasons[path.master] == .confined { reasons[path.master] = path.confinement }
    }
    for index in topology.masters.indices where fates[index] != .confined {
      count += 1
      let evidence = topology.masters[index].evidence
      if claims, evidence == .pciHost || evidence == .iommuMap { fates[index] = .bus }
    }
    guard claims else { return }
    refuseUnfit(topology, board, blob)
    // Who can't be claimed is one that others may share pages with. Each turn has fewer that are claimed.
    while refuseSharing(topology, blob) {}
    for index in topology.masters.indices where fates[index] == .claimed { claimedCount += 1 }
  }

  private func claimed(_ node: BoardNode, _ topology: borrowing DMATopology) -> Int? {
    for index in topology.masters.indices where topology.masters[index].node == node {
      return fates[index] == .claimed ? index : nil
    }
    return nil
  }

  /// Leaves out who has no registers, too large ones, or some in memory.
  private mutating func refuseUnfit<Description: HardwareDescription & ~Escapable>(
    _ topology: borrowing DMATopology, _ board: borrowing Board, _ blob: Description
  ) {
    var hasRegisters = InlineArray<256, Bool>(repeating: false)
    blob.forEachRegisters { (node, range) in
      guard let master = claimed(node, topology) else { return }
      guard let range, let found = PageRange(covering: range) else {
        fates[master] = .withoutRegisters
        return
      }
      hasRegisters[master] = true
      if found.count > Self.pageLimit { fates[master] = .tooLarge }
      for index in board.memory.indices
      where PageRange(covering: board.memory[index])?.overlaps(found) != false {
        fates[master] = .shared
      }
    }
    for index in topology.masters.indices where fates[index] == .claimed && !hasRegisters[index] {
      fates[index] = .withoutRegisters
    }
  }

  /// Collects the pages of all that are claimed, and leaves out who shares some with others; whether
  /// there was one.
  private mutating func refuseSharing<Description: HardwareDescription & ~Escapable>(
    _ topology: borrowing DMATopology, _ blob: Description
  ) -> Bool {
    var isChanged = false
    pages = PageList()
    blob.forEachRegisters { (node, range) in
      guard let master = claimed(node, topology),
        let found = range.flatMap({ PageRange(covering: $0) })
      else {
        return
      }
      if !pages.add(found) {
        fates[master] = .tooLarge
        isChanged = true
      }
    }
    var shared = PageList()
    blob.forEachRegisters { (node, range) in
      guard claimed(node, topology) == nil, let found = range.flatMap({ PageRange(covering: $0) }),
        pages.overlaps(found)
      else { return }
      // What finds no room now does in the next turn.
      _ = shared.add(found)
    }
    guard shared.count > 0 else { return isChanged }
    blob.forEachRegisters { (node, range) in
      guard let master = claimed(node, topology),
        let found = range.flatMap({ PageRange(covering: $0) }),
        shared.overlaps(found)
      else { return }
      fates[master] = .shared
    }
    return true
  }

  /// The pages of all that are claimed; from the lowest.
  public struct PageList: Sendable {
    private var ranges: FixedList<16, PageRange>?

    /// None.
    init() { ranges = nil }

    /// How many ranges there are.
    public var count: Int { ranges?.count ?? 0 }

    /// The range at `index`; nil where there is none.
    public subscript(index: Int) -> PageRange? {
      guard let ranges, ranges.indices.contains(index) else { return nil }
      return ranges[index]
    }

    func overlaps(_ other: PageRange) -> Bool {
      for index in 0..<count where self[index]?.overlaps(other) == true { return true }
      return false
    }

    /// Adds pages, joined with those that they overlap or touch; false, and nothing has changed, where
    /// there is no room.
    mutating func add(_ new: PageRange) -> Bool {
      var first = new.first.rawValue
      var last = new.last.rawValue
      var kept = FixedList<16, PageRange>(filler: new)
      for index in 0..<count {
        guard let range = self[index] else { continue }
        if range.first.rawValue <= new.last.rawValue + 1,
          new.first.rawValue <= range.last.rawValue + 1
        {
          first = min(first, range.first.rawValue)
          last = max(last, range.last.rawValue)
        } else {
          _ = kept.append(range)
        }
      }
      guard let joined = PageRange(first: PageFrameNumber(first), count: last - first + 1),
        kept.append(joined)
      else { return false }
      ranges = kept
      return true
    }
  }
}

/// Takes what can't be followed: it leaves a master unconfined, and is told as that.
public struct UntoldDiagnostics: DMADiagnosticSink {
  /// Takes all.
  public init() {}
  /// Keeps nothing.
  public func report(_ diagnostic: DMADiagnostic) {}
}

// What is said of them.
extension UnconfinedMasters {
  /// Has `log` say what becomes of each master that is not confined; of those alike in one line.
  public func report<Description: HardwareDescription & ~Escapable>(
    _ topology: borrowing DMATopology, _ blob: Description,
    to log: (LogLevel, consuming LogLine) -> Void
  ) {
    var next = 0
    while let group = group(from: next, topology, blob) {
      var line = LogLine("")
      write(group, topology, blob, into: &line)
      log(self[group.first] == .claimed ? .info : .warning, line)
      next = group.end
    }
  }

  /// Masters in a row that are not confined and have the same said of them.
  public struct Group: Sendable {
    /// The index of the first.
    public let first: Int
    /// How many others there are.
    public fileprivate(set) var others: Int
    /// The index behind the last.
    public fileprivate(set) var end: Int
  }

  /// The first such masters from an index on; nil where there are none.
  public func group<Description: HardwareDescription & ~Escapable>(
    from start: Int, _ topology: borrowing DMATopology, _ blob: Description
  ) -> Group? {
    var found: Group?
    for index in start..<topology.masters.count where fates[index] != .confined {
      guard var group = found else {
        found = Group(first: index, others: 0, end: index + 1)
        continue
      }
      guard isAlike(group.first, index, topology, blob) else { return group }
      group.others += 1
      group.end = index + 1
      found = group
    }
    return found
  }

  /// Writes what is to be said of them.
  public func write<Description: HardwareDescription & ~Escapable>(
    _ group: Group, _ topology: borrowing DMATopology, _ blob: Description,
    into sink: inout some TextSink & ~Copyable
  ) {
    let isDebug = topology.masters[group.first].evidence == .debug
    sink.append(isDebug ? "debug by " : "DMA of ")
    blob.writePath(of: topology.masters[group.first].node, into: &sink)
    if group.others > 0 {
      sink.append(" and ")
      sink.append(decimal: UInt64(group.others))
      sink.append(" like it")
    }
    if isDebug {
      sink.append(" can halt a CPU in EL2: ")
    } else {
      sink.append(" is not confined, ")
      let reason = reason(of: group.first)
      if reason == .notMapped {
        sink.append("left out of ")
        sink.append(Description.requesterMap)
      } else {
        sink.append(reason.reason)
      }
      sink.append(": ")
    }
    sink.append(fates[group.first].text)
  }

  /// Why a master is not confined; all paths are not where SMMUs are not driven.
  private func reason(of master: Int) -> DMAPath.Confinement {
    reasons[master] == .confined ? .notDriven : reasons[master]
  }

  /// Whether two masters have the same said of them, but for the addresses in their names.
  private func isAlike<Description: HardwareDescription & ~Escapable>(
    _ one: Int, _ other: Int, _ topology: borrowing DMATopology, _ blob: Description
  ) -> Bool {
    guard fates[one] == fates[other], reason(of: one) == reason(of: other),
      (topology.masters[one].evidence == .debug) == (topology.masters[other].evidence == .debug)
    else { return false }
    return blob.isAlike(topology.masters[one].node, topology.masters[other].node)
  }
}
