// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import CEmbedder
import Comparison
import SMMU
import SimulatedHardware
import Simulation

// The embedder's calls, and the devices.
extension EmbedderWalk {
  /// The embedder asks whether pages may leave.
  func giveAway(_ range: PageRange) {
    asked.removeAll(keepingCapacity: true)
    let (status, held) = board.mayGiveAway(range)
    compare(.mayGiveAway, range, status, held)
  }

  /// Some of what is away goes to the other VM.
  func moveAway() {
    guard let range = awayRange() else { return }
    board.setHosts(range, false)
    check { (comparison) throws(Divergence) in try comparison.movedAway(range) }
    access(range)
  }

  /// Pages come back: what is away, or whatever.
  func takeBack() {
    guard let range = dice.oneIn(4) ? range() : awayRange() else { return }
    let before = range.frameNumbers.map { board.isHosts(PageFrameNumber($0)) }
    board.setHosts(range, true)
    asked.removeAll(keepingCapacity: true)
    let status = board.took(range)
    if status != PORTCULLIS_OK {
      for (page, isHosts) in zip(range.frameNumbers, before) {
        board.setHosts(pages(page), isHosts)
      }
    }
    compare(.took, range, status, 0)
  }

  /// The SMMU hangs, or stops at a command, while pages are about to leave.
  func giveAwayUnconfirmed() {
    guard let smmu = board.smmu else { return }
    // Of one that hangs EL2 asks a million times.
    if dice.oneIn(8) {
      board.hang(after: dice.below(3))
      for _ in 0...dice.below(2) { giveAway(range()) }
      board.hang(after: nil)
    } else {
      smmu.failCommand(after: dice.below(3), dice.oneIn(4) ? .abort : .illegal)
      giveAway(range())
      smmu.failCommand(after: nil)
    }
  }

  func compare(
    _ call: EmbedderCall, _ range: PageRange, _ status: portcullis_status, _ held: UInt64
  ) {
    let answer: EmbedderAnswer? =
      switch status {
      case PORTCULLIS_OK: .done
      case PORTCULLIS_ERROR_HELD: .held(PageFrameNumber(containing: PhysicalAddress(held)))
      case PORTCULLIS_ERROR_OWNER: .owner
      case PORTCULLIS_ERROR_KIND: .kind
      case PORTCULLIS_ERROR_POOL: .noTables
      case PORTCULLIS_ERROR_SMMU: .unconfirmed
      default: nil
      }
    let (observations, isWaiting) = (asked, isWaiting)
    check { (comparison) throws(Divergence) in
      guard let answer else {
        throw Divergence("\(call) of \(range)", expected: "an answer", found: "\(status.rawValue)")
      }
      try comparison.asked(call, range, answer, observations, isWaiting: isWaiting)
    }
    access(range)
  }

  /// Pages side by side that are away.
  private func awayRange() -> PageRange? {
    let first = range().first.rawValue
    for page in first..<first + 64 where comparison.areAway(pages(page)) {
      var count = 1 + dice.below(4)
      while !comparison.areAway(pages(page, count)) { count -= 1 }
      return pages(page, count)
    }
    return nil
  }

  // MARK: Devices

  /// Devices access pages, and those beside them.
  func access(_ range: PageRange) {
    guard let smmu = board.smmu else { return }
    let streams = [8, 20, 30].filter { _ in dice.oneIn(2) } as [UInt32]
    for stream in streams {
      for page in range.first.rawValue - 1...range.last.rawValue + 1 { access(smmu, stream, page) }
      access(smmu, stream, EmbedderBoard.doorbell.first.rawValue)
    }
  }

  private func access(_ smmu: SimulatedSMMU, _ stream: UInt32, _ page: UInt64) {
    let reads = smmu.read(stream, page << 12 | 0xff8) != .aborted
    let writes = smmu.write(stream, page << 12 | 0xff8, 0) != .aborted
    check { (comparison) throws(Divergence) in
      let expected = comparison.reach(StreamID(stream), smmu: 0, PageFrameNumber(page))
      if expected != (reads, writes) {
        throw Divergence(
          "a device of stream \(stream) at page \(page)", expected: "\(expected)",
          found: "(reads: \(reads), writes: \(writes))")
      }
    }
  }
}
