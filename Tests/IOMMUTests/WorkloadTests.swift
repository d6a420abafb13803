// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import IOMMU
import Ownership
import SimulatedHardware
import Simulation
import Testing

@Suite("Random workloads with an IOMMU")
struct WorkloadTests {
  /// Memory around the edge of a 2 MiB block and MMIO, in which a doorbell lies.
  static let memoryBase: UInt64 = 0x441f8
  static let mmioBase: UInt64 = 0x8088
  static let width: UInt64 = 16

  /// One or two ranges of one kind, that collide often with what is claimed.
  static func ranges(_ kind: PageKind, _ random: inout SeededGenerator) -> [PageRange] {
    let base = kind == .memory ? memoryBase : mmioBase
    return (0..<Int.random(in: 1...2, using: &random)).map { _ in
      pages(
        base + UInt64.random(in: 0..<width, using: &random),
        UInt64.random(in: 1...3, using: &random))
    }
  }

  @Test(
    "After every step devices reach what the host reaches, by walking both",
    arguments: [1, 2, 3, 4])
  func equal(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let machine = SimulatedMachine()
    let recorder = Recorder()
    var subject = try MirroredBoard.make(machine, recorder, doorbells: MirroredBoard.doorbells())
    let bells = [MirroredBoard.doorbell, MirroredBoard.farDoorbell]
    var held: [HeldClaim] = []
    var lent: [HeldClaim] = []
    var done = 0
    var refused = 0
    var unconfirmed = 0
    for step in 0..<600 {
      // Some claims come before the snapshot.
      if step == 20 { try MirroredBoard.start(&subject) }
      let kind: PageKind = random.next() % 3 == 0 ? .mmio : .memory
      let ranges = Self.ranges(kind, &random)
      recorder.refusedPage = random.next() % 8 == 0 ? ranges[0].last.rawValue : nil
      recorder.stuckPage = random.next() % 8 == 0 ? ranges[ranges.count - 1].first.rawValue : nil
      recorder.failsToSync = random.next() % 8 == 0
      let before = recorder.table
      do throws(OwnershipError) {
        switch random.next() % 6 {
        case 0, 1:
          let claim = try subject.donate(list(ranges), expecting: kind)
          held.append(HeldClaim(claim, ranges))
        case 2:
          guard let index = held.indices.randomElement(using: &random) else { continue }
          try subject.giveBack(&held[index].value)
          held.remove(at: index)
        case 3:
          if random.next() % 2 == 0 {
            try subject.share(ranges.span)
          } else {
            try subject.unshare(ranges.span)
          }
        case 4:
          guard let index = held.indices.randomElement(using: &random) else { continue }
          guard let claim = held[index].value.take() else { continue }
          var failure: OwnershipError?
          do throws(OwnershipError) { try subject.lend(claim) } catch { failure = error }
          held[index].value = consume claim
          if let failure { throw failure }
          lent.append(held.remove(at: index))
        default:
          guard let index = lent.indices.randomElement(using: &random) else { continue }
          guard let claim = lent[index].value.take() else { continue }
          var failure: OwnershipError?
          do throws(OwnershipError) { try subject.recall(claim) } catch { failure = error }
          lent[index].value = consume claim
          if let failure { throw failure }
          held.append(lent.remove(at: index))
        }
        done += 1
      } catch {
        refused += 1
        if case .refusedByObserver = error { unconfirmed += 1 }
        #expect(recorder.table == before)
      }
      guard step >= 20 else { continue }
      // The pages that steps touch, against the ledger and what units may have cached; all of them every
      // fifty steps, against the host's translation.
      for base in [Self.memoryBase, Self.mmioBase] {
        for page in base..<base + Self.width + 3 {
          let state = subject.pageRecord(of: frame(page)).state
          if MirroredBoard.doorbell.contains(frame(page)) {
            #expect(recorder.table[page] == .doorbell)
          } else {
            #expect((recorder.table[page] != nil) == state.isHostAccessible)
            #expect(state.isHostAccessible || !recorder.isReachable(page))
          }
        }
      }
      if step % 50 == 0 || step == 599 {
        #expect(try recorder.table == MirroredBoard.expected(subject, machine, doorbells: bells))
      }
    }
    #expect(done > 100 && refused > 100 && unconfirmed > 20)
    #expect(recorder.violations == [] && machine.violations == [])
  }
}
