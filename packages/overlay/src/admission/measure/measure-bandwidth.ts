import { type Clock, type Random, WeftError, equalBytes, throwIfAborted } from '@weft/core'
import { type DidKey, sha256 } from '@weft/crypto'
import { KiB, MAX_BURST_PIECE } from '@weft/wire'
import type { Rpc } from '../../rpc.ts'
import { BURST_SEED, burstData } from './burst-data.ts'
import { BurstRound } from './burst-round.ts'

export interface BandwidthInit {
  /** Over the connection that is measured. */
  readonly rpc: Pick<Rpc, 'call'>
  readonly applicant: DidKey
  /** Of the application: shows the applicant that it is asked by whom it applies to. */
  readonly nonce: Uint8Array
  /** Mbit/s each way. */
  readonly claimed: number
  readonly clock: Clock
  readonly random: Random
}

/** Bytes of a burst, each way. */
export const MAX_BURST = 8_000_000
/** ms of the claimed rate that a round has, and bytes at most: half of a burst, as a new connection starts slowly. */
const ROUND_MS = 600
const MAX_ROUND = MAX_BURST / 2
/** Pieces of a round, at least. */
const PIECES = 16
/** Pieces under way at first; and at most, one more for each that came: as many as a way of so many ms holds at the claimed rate. */
const FIRST_PIECES = 4
const MOST_PIECES = 32
const LONGEST_WAY_MS = 250
/** ms in which pieces are sent each way, and in which those that are under way then may still come. */
const BURST_MS = 2_000
const LATE_MS = 2_000
/** ms to say that a measurement is over. */
const END_MS = 1_000
/** Part of a line that is left to what is sent: the rest are headers of TCP, TLS, the muxer and the calls. */
const PAYLOAD = 0.9
/** Bytes a ms of 1 Mbit/s. */
const BYTES_PER_MS = 125

/**
 * Measures what a node claims of its bandwidth, and no more: a burst from it, then one to it, each ended as soon as it shows
 * the claim, of at most {@link MAX_BURST} bytes each.
 * @returns Mbit/s of the slower way, whole, at most what is claimed
 * @throws WeftError E_BURST_BUSY when the applicant is measured by another, E_BURST_REFUSED, E_BURST_FORGED, E_NODE_UNREACHABLE, E_ABORTED
 */
export async function measureBandwidth(init: BandwidthInit, signal: AbortSignal): Promise<number> {
  const { rpc, applicant, nonce, claimed } = init
  const from = await burst(init, 'from', claimed, signal)
  // What is too little one way is claimed anew: the other way is measured then.
  const both = from < claimed ? from : await burst(init, 'to', claimed, signal)
  // The next validator need not wait. A failure tells nothing: the turn ends by itself.
  await rpc.call(applicant, 'admission.burst', { nonce }, { signal, timeoutMs: END_MS }).catch(() => {})
  return both
}

/** Mbit/s that came through in the best round, whole, at most `claimed`. */
async function burst(init: BandwidthInit, way: 'from' | 'to', claimed: number, signal: AbortSignal): Promise<number> {
  const { clock } = init
  const wanted = Math.min(MAX_ROUND, claimed * BYTES_PER_MS * PAYLOAD * ROUND_MS)
  const length = Math.round(Math.min(MAX_BURST_PIECE, Math.max(KiB, wanted / PIECES)))
  const pieces = Math.max(PIECES, Math.floor(wanted / length))
  const late = new AbortController()
  const inTime = AbortSignal.any([signal, late.signal])
  const end = clock.monotonic() + BURST_MS
  const cancel = clock.after(BURST_MS + LATE_MS, () => late.abort())
  const line = {
    ...init,
    way,
    length,
    mostAtOnce: Math.min(MOST_PIECES, Math.max(FIRST_PIECES, (claimed * BYTES_PER_MS * LONGEST_WAY_MS) / length)),
    claimedMs: (pieces * length) / (claimed * BYTES_PER_MS * PAYLOAD),
    end,
  }
  let best = 0
  let atOnce = FIRST_PIECES
  try {
    // A connection that is new starts slowly (RFC 5681, section 3.1): the next round is faster.
    for (let left = MAX_BURST; left >= pieces * length && clock.monotonic() < end; left -= pieces * length) {
      const round = await burstRound(line, pieces, atOnce, inTime)
      throwIfAborted(signal)
      atOnce = round.atOnce
      best = Math.max(best, Math.floor(round.rate / (BYTES_PER_MS * PAYLOAD)))
      if (best >= claimed) return claimed
    }
    return best
  } finally {
    cancel()
  }
}

interface BurstLine extends BandwidthInit {
  readonly way: 'from' | 'to'
  /** Bytes of a piece. */
  readonly length: number
  readonly mostAtOnce: number
  /** ms that a round takes at the claimed rate. */
  readonly claimedMs: number
  /** When no piece is asked for any more, ms of the monotonic clock. */
  readonly end: number
}

/** One round, with nothing under way before it or behind it. Returns bytes a ms, and how many pieces were under way at once. */
async function burstRound(
  line: BurstLine,
  pieces: number,
  atOnce: number,
  signal: AbortSignal,
): Promise<{ readonly rate: number; readonly atOnce: number }> {
  const { clock, length, mostAtOnce, end } = line
  const round = new BurstRound(clock.monotonic(), line.claimedMs)
  const failures: unknown[] = []
  const senders: Promise<void>[] = []
  let left = pieces
  const send = async (): Promise<void> => {
    while (left > 0 && failures.length === 0 && clock.monotonic() < end) {
      left--
      const asked = clock.monotonic()
      try {
        await sendPiece(line, signal, () => round.add(asked, clock.monotonic(), length))
      } catch (error) {
        failures.push(error)
        return
      }
      if (senders.length < mostAtOnce) senders.push(send())
    }
  }
  while (senders.length < atOnce) senders.push(send())
  // What is under way is waited for: it would delay what is measured next.
  for (let at = 0; at < senders.length; at++) await senders[at]
  if (failures.length > 0 && !signal.aborted) throw failures[0]
  return { rate: round.rate(signal.aborted ? clock.monotonic() : undefined), atOnce: senders.length }
}

/** @param came called as soon as the answer is there */
async function sendPiece(
  { rpc, applicant, nonce, way, length, random }: BurstLine,
  signal: AbortSignal,
  came: () => void,
): Promise<void> {
  const limits = { signal, timeoutMs: BURST_MS + LATE_MS }
  const seed = random.bytes(BURST_SEED)
  if (way === 'from') {
    const { data } = await rpc.call(applicant, 'admission.burst', { nonce, length, seed }, limits)
    came()
    if (!equalBytes(data, burstData(seed, length))) throw forged('what came is not what was asked for')
    return
  }
  const data = burstData(seed, length)
  const answer = await rpc.call(applicant, 'admission.burst', { nonce, data }, limits)
  came()
  if (!equalBytes(answer.data, sha256(data))) throw forged('a piece was answered without its hash')
}

function forged(why: string): WeftError {
  return new WeftError({
    code: 'E_BURST_FORGED',
    cause: `The node does not take part in the measurement of its bandwidth as it has to: ${why}.`,
    fix: 'Update Weft on the node.',
  })
}
