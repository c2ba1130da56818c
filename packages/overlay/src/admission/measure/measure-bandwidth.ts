import { type Clock, type Random, WeftError, equalBytes, throwIfAborted } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import { KiB, MAX_BURST_PIECE } from '@weft/wire'
import type { Rpc } from '../../rpc.ts'
import { BurstMeter } from './burst-meter.ts'

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
/** Bytes at the end of a piece by which the applicant shows that the piece came. */
export const PIECE_PROOF = 16
/** ms of the claimed rate that have to come in one go, and bytes at most: half of a burst, as its beginning is slow. */
const WINDOW_MS = 300
const MAX_WINDOW = MAX_BURST / 2
/** Pieces of a window, at least. */
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

/** Mbit/s that came through, whole, at most `claimed`. */
async function burst(
  { rpc, applicant, nonce, clock, random }: BandwidthInit,
  way: 'from' | 'to',
  claimed: number,
  signal: AbortSignal,
): Promise<number> {
  const window = Math.min(MAX_WINDOW, claimed * BYTES_PER_MS * PAYLOAD * WINDOW_MS)
  const length = Math.round(Math.min(MAX_BURST_PIECE, Math.max(KiB, window / PIECES)))
  const most = Math.min(MOST_PIECES, Math.max(FIRST_PIECES, (claimed * BYTES_PER_MS * LONGEST_WAY_MS) / length))
  const meter = new BurstMeter(window, claimed * BYTES_PER_MS * PAYLOAD)
  const late = new AbortController()
  const inTime = AbortSignal.any([signal, late.signal])
  const mbps = (bytesPerMs: number): number => bytesPerMs / (BYTES_PER_MS * PAYLOAD)
  const begin = clock.monotonic()
  const cancel = clock.after(BURST_MS + LATE_MS, () => late.abort())
  const failures: unknown[] = []
  const senders: Promise<void>[] = []
  let sent = 0
  let result: number | undefined
  const send = async (): Promise<void> => {
    while (result === undefined && sent + length <= MAX_BURST && clock.monotonic() - begin < BURST_MS) {
      sent += length
      try {
        await sendPiece(rpc, applicant, nonce, way, length, random, inTime)
      } catch (error) {
        if (inTime.aborted) return
        failures.push(error)
        late.abort()
        return
      }
      meter.add(clock.monotonic(), length)
      if (mbps(meter.sustained) >= claimed) result = claimed
      else if (senders.length < most) senders.push(send())
    }
  }
  try {
    for (let at = 0; at < FIRST_PIECES; at++) senders.push(send())
    // What is under way is waited for: it would delay what is measured next.
    for (let at = 0; at < senders.length; at++) await senders[at]
  } finally {
    cancel()
  }
  throwIfAborted(signal)
  if (failures.length > 0) throw failures[0]
  return result ?? Math.min(claimed, Math.floor(mbps(meter.rate(clock.monotonic()))))
}

async function sendPiece(
  rpc: Pick<Rpc, 'call'>,
  applicant: DidKey,
  nonce: Uint8Array,
  way: 'from' | 'to',
  length: number,
  random: Random,
  signal: AbortSignal,
): Promise<void> {
  const limits = { signal, timeoutMs: BURST_MS + LATE_MS }
  if (way === 'from') {
    const { data } = await rpc.call(applicant, 'admission.burst', { nonce, length }, limits)
    if (data.length !== length) throw forged(`${data.length} bytes came where ${length} were asked for`)
    return
  }
  const proof = random.bytes(PIECE_PROOF)
  const data = new Uint8Array(length)
  data.set(proof, length - PIECE_PROOF)
  const answer = await rpc.call(applicant, 'admission.burst', { nonce, data }, limits)
  if (!equalBytes(answer.data, proof)) throw forged('a piece was answered without the bytes at its end')
}

function forged(why: string): WeftError {
  return new WeftError({
    code: 'E_BURST_FORGED',
    cause: `The node does not take part in the measurement of its bandwidth as it has to: ${why}.`,
    fix: 'Update Weft on the node.',
  })
}
