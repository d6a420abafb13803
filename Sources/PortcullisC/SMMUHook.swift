// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import Hypervisor
internal import Ownership
internal import Traps

/// The way from a state to the SMMUs that were added to it.
///
/// All of their code is behind a pointer that `portcullis_add_smmus` leaves, so that a program which does not call it is
/// linked without a driver of SMMUs.
///
/// A leaf: who makes it vouches for the function, and that it lives as long as the state.
@safe struct SMMUHook: Sendable {
  /// What may be asked.
  enum Request {
    /// To take the SMMUs over, now that all regions are taken from the host.
    case begin(SealingClaim)
    /// To answer a load from one.
    case read(UInt8, Access)
    /// To carry out a store to one.
    case write(UInt8, Access, UInt64)
    /// To take pages from devices, with the lock of pages held.
    case revoke(PageRange)
    /// To let devices reach pages, which they do not, with the lock of pages held.
    case grant(PageRange)
    /// Which of these pages devices reach, with the lock of pages held.
    case reached(PageRange)
    /// Which of these pages is held for the host.
    case held(PageRange)
    /// A figure of the SMMUs.
    case value(StatisticNumber)
  }

  /// A claim in the place where it is, with all regions taken: valid while it asks.
  @safe struct SealingClaim {
    private let map: UnsafePointer<MemoryMap>
    private let list: UnsafePointer<RegionClaim.BoardFrames>

    @unsafe init(
      _ map: UnsafePointer<MemoryMap>, _ list: UnsafePointer<RegionClaim.BoardFrames>
    ) {
      unsafe self.map = map
      unsafe self.list = list
    }

    /// The memory of the board.
    var memoryMap: MemoryMap { unsafeAddress { unsafe map } }
    /// The frames that it has taken.
    var frames: RegionClaim.BoardFrames { unsafeAddress { unsafe list } }
  }

  /// What is answered.
  enum Answer {
    /// It is done, or there is nothing to tell.
    case done
    /// Why the SMMUs were not taken over.
    case failed(EmbedderError)
    /// Why pages can't be taken or reached.
    case refused(OwnershipError)
    /// A load is answered.
    case read(ReadEffect)
    /// A store is carried out.
    case write(WriteEffect)
    /// The page that is held, or reached.
    case page(PageFrameNumber)
    /// The figure.
    case value(UInt64)
  }

  /// A request on its way, with the answer on the way back.
  struct Exchange {
    let request: Request
    var answer: Answer = .done
  }

  typealias Function =
    @convention(c) @Sendable (
      _ state: UnsafeMutableRawPointer, _ exchange: UnsafeMutableRawPointer
    ) -> Void

  private let function: Function
  /// The memory that the SMMUs have.
  let memory: PageRange
  /// Whether there is no IOMMU beside them that the embedder drives.
  let coversAll: Bool

  @unsafe init(_ function: @escaping Function, memory: PageRange, coversAll: Bool) {
    unsafe self.function = function
    self.memory = memory
    self.coversAll = coversAll
  }

  /// Asks the SMMUs of the state in this memory.
  @inline(never)
  func ask(_ request: Request, of state: UnsafeMutableRawPointer) -> Answer {
    var exchange = Exchange(request: request)
    unsafe withUnsafeMutablePointer(to: &exchange) { unsafe function(state, $0) }
    return exchange.answer
  }
}
