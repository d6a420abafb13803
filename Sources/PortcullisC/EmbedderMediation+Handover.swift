// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEmbedder
internal import ITS

// The ITSes of a host that drives them already: forwarded, handed over, and closed where they were not.
extension EmbedderMediation {
  /// Takes live ITS `number` over by the descriptor at `descriptor`; nil where the host is not trusted
  /// with it any more, else 0, or why not.
  func handOver(_ number: UInt8, _ descriptor: PhysicalAddress) -> Int64? {
    itses.withLock(number) { its in
      guard its.isForwarded else { return nil }
      do throws(HandoverError) {
        its.mediation = try MediatedITS.handOver(
          its.setup, base: its.base, descriptor: descriptor, machine: machine
        ) { targets, typer in addTargets(to: &targets, typer) }
      } catch {
        return error.code
      }
      its.isForwarded = false
      log("handed over", of: number, PORTCULLIS_LOG_INFO)
      return 0
    }
  }

  /// Ends the trust in the host with ITS `number`, and sets it up if it is disabled and was not handed
  /// over.
  ///
  /// - Throws: why not; nobody answers for it then.
  func finalise(_ number: UInt8) throws(EmbedderError) {
    let status = itses.withLock(number) { its in
      if its.mediation != nil { return PORTCULLIS_OK }
      its.isForwarded = false
      guard let control = platform.read(.word, at: its.setup.frame), control & 1 == 0 else {
        log("is live and was not handed over", of: number, PORTCULLIS_LOG_ERROR)
        return PORTCULLIS_ERROR_LIVE
      }
      do throws(EmbedderError) {
        its.mediation = try setUp(its.setup, number)
        return PORTCULLIS_OK
      } catch {
        return error.status
      }
    }
    if status != PORTCULLIS_OK { throw EmbedderError(status) }
  }
}
