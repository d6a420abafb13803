// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEmbedder
internal import DeviceTree
internal import GIC
internal import Hypervisor
internal import ITS
internal import Ownership
internal import Traps

typealias EmbedderMonitor = Monitor<EmbedderMachine>
typealias Device = ProtectedDevice<EmbedderMonitor>

/// What a trap needs to know of the board; read only once the claim has succeeded.
struct EmbedderBoard {
  /// Where physical address 0 is at EL2, modulo 2^64.
  let linearBase: UInt64
  /// The page size of both translations.
  let granule: Granule
  /// How many ITSes it has, without those that are left out.
  let itses: Int
  /// Whether EL2 stands between the host and the Redistributors.
  let guardsRedistributors: Bool
  /// The Redistributors.
  let redistributors: Board.RedistributorRegions
  /// Where EL2 sees each of those regions, as far as they are mapped.
  var frames = FixedList<64, EmbedderPlatform.Mapping>(filler: .none)
}

/// The machine of an embedder, as the monitor sees it: all of it lies in the memory of the state.
///
/// A leaf: it gives types to parts of that memory, which `portcullis_init` has found large enough.
@safe struct EmbedderMachine: Platform, @unchecked Sendable {
  // What changes behind it has a lock, or changes before the host runs: hence Sendable.
  private let place: UnsafeMutableRawPointer

  /// Takes the memory of a state.
  @unsafe init(_ memory: UnsafeMutableRawPointer) { unsafe place = memory }

  /// The embedder's operations.
  var registers: EmbedderPlatform { unsafe EmbedderPlatform(place) }
  var itses: ITSPlaces { unsafe ITSPlaces(place + StateMemory.itsOffset) }
  var redistributors: RedistributorPlace {
    unsafe RedistributorPlace(place + StateMemory.redistributorOffset)
  }
  /// The pins of the Redistributors, by their distance from the first.
  var pins: EmbedderTables {
    unsafe EmbedderTables(
      place + StateMemory.redistributorOffset + Int(RedistributorPlace.pinsOffset),
      pages: StateMemory.pinPages)
  }
  /// The place of what is known of the board.
  var board: UnsafeMutablePointer<EmbedderBoard> {
    unsafe (place + StateMemory.boardOffset).assumingMemoryBound(to: EmbedderBoard.self)
  }

  /// The place of the list of all frames, which a claim fills.
  var frames: UnsafeMutablePointer<RegionClaim.BoardFrames> {
    unsafe (place + StateMemory.framesOffset).assumingMemoryBound(
      to: RegionClaim.BoardFrames.self)
  }

  /// What is known of pages.
  var pages: EmbedderPages { unsafe EmbedderPages(place + StateMemory.pagesOffset) }

  /// The pool and what is shared: the header asks that they are mapped there.
  @inline(__always)
  var memory: LinearMemory { unsafe LinearMemory(base: board.pointee.linearBase, registers) }
  /// A call of the embedder.
  var cpu: UInt64 { UInt64(registers.cpu ?? 0) }
  var multiprocessorAffinity: UInt64 { registers.readRegister(PORTCULLIS_MPIDR_EL1) }

  /// The memory of the counts.
  @inline(__always)
  var countWords: EmbedderCounts { unsafe EmbedderCounts(place + StateMemory.countsOffset) }
  /// The words of the ITSes: the CPUs are the embedder's to count.
  @inline(__always)
  var counts: Statistics<EmbedderCounts> {
    Statistics(cpus: 0, memory: countWords)
  }
  /// A load through C is as short as it can be.
  static var countsLoads: Bool { false }
  var itsCount: Int { unsafe board.pointee.itses }
  var guardsRedistributors: Bool { unsafe board.pointee.guardsRedistributors }
  /// What the claims take is counted here; all else the embedder keeps itself.
  func ownValue(_ number: StatisticNumber) -> UInt64 { number.value(in: pages.usage) }

  func pages(holding rank: LockRank) -> EmbedderPageAuthority {
    EmbedderPageAuthority(of: self, holding: rank)
  }
  func recordingMachine(of its: UInt8) -> ITSTrapMachine<EmbedderMachine> { machine(of: its) }

  /// Where the pins of the Redistributors begin.
  static var firstPin: PhysicalAddress { PhysicalAddress(0) }

  func addTargets(to targets: inout RedistributorDirectory, _ typer: GITSTyper) -> Bool {
    for index in unsafe board.pointee.redistributors.indices {
      let region = unsafe board.pointee.redistributors[index]
      guard region.isUsed else { continue }
      let frame = unsafe board.pointee.frames[index].address
      guard RedistributorScan.add(region, at: frame, to: &targets, typer, machine: machine(of: 0))
      else {
        return false
      }
    }
    return true
  }

  // An embedder's SMMUs are its own.
  func readSMMU(_ number: UInt8, _ access: Access) -> ReadEffect { .refused(.noHandler) }
  func writeSMMU(_ number: UInt8, _ access: Access, _ value: UInt64) -> WriteEffect {
    .refused(.noHandler)
  }

  func log(_ level: LogLevel, _ line: consuming LogLine) { registers.log(level, line) }
}

/// The mapping of the Redistributors' regions, which stays: before the claim, on one CPU.
extension EmbedderMachine {
  /// Maps every region of Redistributors.
  ///
  /// - Throws: why one could not be; none is mapped then.
  func mapRedistributors() throws(EmbedderError) {
    do throws(EmbedderError) {
      let granule = unsafe board.pointee.granule
      for index in unsafe board.pointee.redistributors.indices {
        let range = unsafe board.pointee.redistributors[index].range
        // The list is as long as that of the regions.
        _ = unsafe board.pointee.frames.append(try registers.map(range, granule))
      }
    } catch {
      unmapRedistributors()
      throw error
    }
  }

  /// Where EL2 sees pages of a region of Redistributors; nil for others.
  func address(of pages: PageRange) -> VirtualAddress? {
    for index in unsafe board.pointee.frames.indices {
      if let address = unsafe board.pointee.frames[index].address(of: pages) { return address }
    }
    return nil
  }

  /// Whether ``mapRedistributors()`` has mapped pages.
  func isMapped(_ pages: PageRange) -> Bool { address(of: pages) != nil }

  /// Ends what ``mapRedistributors()`` began.
  func unmapRedistributors() {
    for index in unsafe board.pointee.frames.indices {
      registers.unmap(unsafe board.pointee.frames[index])
    }
    unsafe board.pointee.frames = FixedList(filler: .none)
  }
}
