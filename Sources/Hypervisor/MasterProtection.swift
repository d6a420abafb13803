// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import Boards
internal import DeviceTree
internal import ITS
internal import Traps

/// What is decided, of what the tree says of DMA, beside the SMMUs: masters that no SMMU confines, and the
/// DeviceIDs that there are.
struct MasterProtection {
  /// The pages that are claimed.
  var pages: UnconfinedMasters.PageList?
  /// The nodes whose registers are in them, which the host's tree says are disabled.
  var disabled = HostTree.DisabledNodes(filler: .root)
  /// The DeviceIDs of each ITS of the board.
  var devices = Board.ITSList<PermittedDevices>(filler: .all)

  /// Nothing is claimed, and every DeviceID permitted.
  init() { pages = nil }

  /// Decides by what the tree says of DMA, the largest value there is: it has room on the boot CPU's stack
  /// while nothing else is on it.
  @inline(never)
  static func decide<Description: HardwareDescription & ~Escapable>(
    _ board: borrowing Board, _ blob: Description, _ options: BootOptions, ownsSMMUs: Bool,
    _ platform: some Platform
  ) throws(StartupError) -> MasterProtection {
    // Of the type that the plan has: the reader is compiled once.
    var sink = FirstDiagnostics<DMADiagnostic>()
    let topology = blob.readTopology(of: board, reporting: &sink)
    return try MasterProtection(topology, board, blob, options, ownsSMMUs: ownsSMMUs, platform)
  }

  /// Decides, and says what becomes of each master that is not confined.
  private init<Description: HardwareDescription & ~Escapable>(
    _ topology: borrowing DMATopology, _ board: borrowing Board, _ blob: Description,
    _ options: BootOptions, ownsSMMUs: Bool, _ platform: some Platform
  ) throws(StartupError) {
    self.init()
    let masters = UnconfinedMasters(
      topology, board, blob, drivers: ownsSMMUs ? .ours : .none, claims: options.claimsMasters)
    masters.report(topology, blob) { platform.log($0, $1) }
    // Masters beyond the list have not been decided on.
    guard topology.isComplete || !options.claimsMasters else { throw .masters }
    pages = masters.pages
    for index in topology.masters.indices where masters[index] == .claimed {
      guard disabled.append(topology.masters[index].node) else { throw .masters }
    }
    guard options.listsDevices else { return }
    for index in board.itses.indices {
      do throws(ListedDevicesError) {
        let list = try PermittedDevices(listedFor: board.itses[index].node, in: topology)
        _ = devices.append(list)
      } catch {
        throw .devices
      }
    }
  }

  /// The DeviceIDs that may be mapped at an ITS, by its index.
  func permitted(_ its: Int) -> PermittedDevices {
    devices.indices.contains(its) ? devices[its] : .all
  }

  /// Appends what is claimed to what else is; nobody answers there.
  func append<Device: TrapDevice>(
    to requests: inout RegionRequests<Device>
  ) throws(StartupError) {
    guard let pages else { return }
    for index in 0..<pages.count {
      guard let range = pages[index] else { continue }
      do throws(RegistryError) {
        let layout = try RegionLayout(base: range.first.address, pages: range.count)
        let request = RegionRequest<Device>(
          layout, widths: .all, kinds: .readWrite, device: nil)
        guard requests.append(request) else { throw .full(range.first.address) }
      } catch {
        throw .masters
      }
    }
  }
}
