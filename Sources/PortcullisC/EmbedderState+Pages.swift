// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEmbedder
internal import Hypervisor
internal import ITS
internal import Ownership
internal import Redistributor

// Pages that the embedder moves between its VMs.
//
//      the embedder                              a trap, with the lock of an ITS or of the Redistributors
//      1. away.insert, unless it is donated      a. is it away? then refused; donated.insert
//      2. look into each with its lock           b. host_share, and a slot of the pins
//      3. take it from devices behind SMMUs
//
// Whichever lock comes first: a trap that has passed `a` before 1 has come to the end of `b` at 2.

extension EmbedderState {
  /// Why pages are not given away.
  enum Hold {
    /// A page is held for the host.
    case held(PageFrameNumber)
    /// An ITS that is forwarded has the host's tables, wherever they are.
    case forwarded
    /// An ITS that nobody answers for has the host's tables.
    case live
  }

  /// Takes memory from the host's view of its ITSes and Redistributors, unless one of them uses it.
  ///
  /// - Returns: with `HELD` the page.
  func giveAway(_ pages: PageRange) -> (status: portcullis_status, held: PageFrameNumber?) {
    guard phase == .claimed else { return (PORTCULLIS_ERROR_ORDER, nil) }
    let known = monitor.platform.pages
    // What is in use is refused before any page counts as away, so that a trap beside this refuses nothing.
    if let hold = hold(of: pages) { return answer(hold) }
    // Other addresses of the host's say nothing of the pool.
    if platform.isIdentity, monitor.platform.isOwn(pages) { return (PORTCULLIS_ERROR_OWNER, nil) }
    do throws(OwnershipError) {
      try known.give(pages)
      if let hold = hold(of: pages) {
        try known.take(pages)
        return answer(hold)
      }
      let answer = known.whileLocked { monitor.platform.askSMMUs(.revoke(pages)) }
      guard case .refused(let error) = answer else { return (PORTCULLIS_OK, nil) }
      try known.take(pages)
      throw error
    } catch {
      return (portcullis_status(moving: error), nil)
    }
  }

  private func answer(_ hold: Hold) -> (status: portcullis_status, held: PageFrameNumber?) {
    switch hold {
    case .held(let page): (PORTCULLIS_ERROR_HELD, page)
    case .forwarded: (PORTCULLIS_ERROR_ORDER, nil)
    case .live: (PORTCULLIS_ERROR_LIVE, nil)
    }
  }

  /// Takes note that memory which was given away is the host's again.
  func takeBack(_ pages: PageRange) -> portcullis_status {
    guard phase == .claimed else { return PORTCULLIS_ERROR_ORDER }
    do throws(OwnershipError) {
      let machine = monitor.platform
      // Memory that the host did not have when the SMMUs were taken over counts as away from here on.
      let isNew = machine.ownsSMMUs && !machine.pages.areAway(pages)
      if isNew {
        guard !machine.isOwn(pages) else { return PORTCULLIS_ERROR_OWNER }
        try machine.pages.give(pages)
      }
      do throws(OwnershipError) {
        try machine.pages.take(pages) { () throws(OwnershipError) in
          if isNew, case .page(let page) = machine.askSMMUs(.reached(pages)) {
            throw .wrongState(page, .owned)
          }
          if case .refused(let error) = machine.askSMMUs(.grant(pages)) { throw error }
        }
      } catch {
        if isNew { try machine.pages.take(pages) }
        throw error
      }
      return PORTCULLIS_OK
    } catch {
      return portcullis_status(moving: error)
    }
  }

  /// What keeps pages with the host.
  private func hold(of pages: PageRange) -> Hold? {
    for number in 0..<UInt8(truncatingIfNeeded: itsCount) {
      let hold: Hold? = monitor.platform.withITS(number) { its in
        switch its.path {
        case .forwarded: .forwarded
        case .closed: .live
        case .mediated, .recorded:
          its.mediation.held(of: pages, memory: monitor.platform.memory)
            .map { .held($0) }
        }
      }
      if let hold { return hold }
    }
    if case .page(let page) = monitor.platform.askSMMUs(.held(pages)) { return .held(page) }
    guard mediation.guardsRedistributors else { return nil }
    let page = monitor.platform.withRedistributors {
      $0.held(of: pages, memory: monitor.platform.pins)
    }
    return page.map { .held($0) }
  }
}
