import { type Clock, WeftError, toHex } from '@weft/core'
import { sha256 } from '@weft/crypto'
import { MAX_BURST_PIECE } from '@weft/wire'
import type { RequestOf, ResponseInitOf } from '../../rpc.ts'
import { BURST_SEED, burstData } from './burst-data.ts'
import { MAX_BURST } from './measure-bandwidth.ts'

/** What is left of one validator's measurement, bytes. */
interface Burst {
  from: number
  to: number
  /** When it began, ms of the monotonic clock. */
  begunAt: number | undefined
  /** When it was last heard of in its turn. */
  heardAt: number
}

/** ms that one validator may take in all, and that it may be silent before another has its turn. */
const TURN_MS = 10_000
const IDLE_MS = 1_000
/** Applications that wait for their votes at once: one to each validator. */
const MAX_EXPECTED = 64

/**
 * An applicant's part in the measurement of its bandwidth (`admission.burst`). It answers only to whom it applies, whom the
 * nonce of an application of its own tells; one at a time, as each would else measure a part of the line; and for no longer
 * and no more than one measurement takes.
 */
export class BurstResponder {
  readonly #clock: Clock
  readonly #expected = new Map<string, Burst>()
  /** Whose turn it is. */
  #turn: Burst | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** An application with this nonce goes out. Returns what ends it, and tells for how many ms its turn went on. */
  expect(nonce: Uint8Array): () => number {
    const name = toHex(nonce)
    const burst: Burst = { from: MAX_BURST, to: MAX_BURST, begunAt: undefined, heardAt: 0 }
    if (this.#expected.size < MAX_EXPECTED) this.#expected.set(name, burst)
    return () => {
      if (this.#turn === burst) this.#turn = undefined
      this.#expected.delete(name)
      return burst.heardAt - (burst.begunAt ?? burst.heardAt)
    }
  }

  /** @throws WeftError E_BURST_REFUSED, E_BURST_BUSY */
  answer({
    nonce,
    data,
    length,
    seed,
  }: Pick<RequestOf<'admission.burst'>, 'nonce' | 'data' | 'length' | 'seed'>): ResponseInitOf<'admission.burst'> {
    const burst = this.#expected.get(toHex(nonce))
    if (burst === undefined) throw refused('it does not apply to whoever asks')
    const now = this.#clock.monotonic()
    this.#take(burst, now)
    if (data.length === 0 && length === 0) {
      burst.from = 0
      burst.to = 0
      this.#turn = undefined
      return {}
    }
    if (length > MAX_BURST_PIECE || data.length > MAX_BURST_PIECE) throw refused('a piece is too long')
    if (length > 0 && seed.length !== BURST_SEED)
      throw refused(`a seed has ${seed.length} bytes in place of ${BURST_SEED}`)
    if (length > burst.from || data.length > burst.to) throw refused('all of its bytes are used up')
    burst.from -= length
    burst.to -= data.length
    return { data: length > 0 ? burstData(seed, length) : sha256(data) }
  }

  /** Makes sure that it is the turn of this one. */
  #take(burst: Burst, now: number): void {
    const current = this.#turn
    if (current !== undefined && current !== burst) {
      const over = now - (current.begunAt ?? now) >= TURN_MS || now - current.heardAt >= IDLE_MS
      if (!over) throw busy()
    }
    burst.begunAt ??= now
    if (now - burst.begunAt >= TURN_MS) throw refused('its time is over')
    burst.heardAt = now
    this.#turn = burst
  }
}

function refused(why: string): WeftError {
  return new WeftError({
    code: 'E_BURST_REFUSED',
    cause: `The node does not take part in a measurement of its bandwidth: ${why}.`,
    fix: 'Only validators measure, and only who applies to them (docs/specs/admission.md).',
  })
}

function busy(): WeftError {
  return new WeftError({
    code: 'E_BURST_BUSY',
    cause: 'Another validator measures the bandwidth of the node now.',
    fix: 'Nothing to do: the validator waits for its turn.',
    retryable: true,
  })
}
