// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEL2Boot
internal import DeviceTree
internal import GIC
internal import Hypervisor
internal import Ownership
internal import Redistributor

/// Puts EL2 between the host and every Redistributor of the board.
enum RedistributorMediation {
  /// The pages to claim.
  static func requests(
    _ board: borrowing Board
  ) throws(StartupError) -> RegionClaim.Requests<Device> {
    do throws(RedistributorClaimError) {
      return try RedistributorClaim.requests(
        for: board.redistributors, at: VirtualLayout.redistributors, through: MetalDeviceMemory()
      ) { first, frame in .mediatedRedistributors(first: first, frame: frame) }
    } catch {
      if case .tooMany = error {
        throw .tooManyRegions(limit: RegionClaim.Requests<Device>.capacity)
      }
      throw .redistributorClaim(error)
    }
  }

  /// Adds every Redistributor in the order of the requests, before the host runs.
  ///
  /// A host that is trusted at first keeps what is live; it is mediated all the same.
  static func begin(
    _ board: borrowing Board, _ options: BootOptions, interruptLimit: UInt64, _ log: inout Log
  ) throws(StartupError) {
    let machine = RedistributorTrapMachine()
    let imageBase = unsafe StateMemory.shared.pointee.image.base
    let pins = PhysicalAddress(
      imageBase.rawValue + (el2_redistributors_here() - el2_image_start_here())
        + StateMemory.redistributorPinsOffset)
    let memory = MetalTables(imageBase: imageBase)
    for offset in stride(from: 0, to: MediatedRedistributors.pinsSize, by: 8) {
      memory.store(0, at: PhysicalAddress(pins.rawValue + offset))
    }
    unsafe StateMemory.redistributors.initialize(
      to: MediatedRedistributors(
        interruptLimit: interruptLimit, pins: pins, slots: StateMemory.redistributorSlots,
        offersVirtualLPIs: options.checksVirtualInterrupts,
        addressLimit: board.gicTraits.addressLimit))
    do throws(RedistributorSetupError) {
      for index in board.redistributors.indices where board.redistributors[index].isUsed {
        let region = board.redistributors[index]
        let address = VirtualLayout.redistributors(index)
        let end = try RedistributorScan.forEach(
          region, at: address, through: machine.registers
        ) { (base, _) throws(RedistributorSetupError) in
          let distance = base.rawValue &- region.range.base.rawValue
          try unsafe StateMemory.redistributors.pointee.add(
            VirtualAddress(address.rawValue &+ distance), keepsLive: options.isHandover,
            machine: machine)
        }
        guard end == .last else { throw .silent(address) }
      }
      try unsafe StateMemory.redistributors.pointee.finish(machine: machine)
    } catch {
      guard case .tooMany = error else { throw .redistributors }
      throw .tooManyRedistributors(limit: MediatedRedistributors.capacity)
    }
    var line = LogLine("Redistributors mediated: ")
    line.append(decimal: UInt64(unsafe StateMemory.redistributors.pointee.count))
    log.write(.info, line)
  }
}
