import type { DidKey } from '@weft/crypto'

/** A leg that ended or is silent, with the exit as what does not answer. */
export interface SilentAtExit {
  /** The hop before the exit. */
  readonly relay: DidKey
  /** ms for which the exit has been silent; Infinity where that hop itself says that it is gone. */
  readonly ms: number
}

/** Relays that have to say so: of one alone it may be the way from there. */
const WITNESSES = 2
/** ms of silence, from when something was due, after which an exit is gone; one that is only held up for a moment keeps what runs over it. */
const GONE_MS = 1_700
/** ms for which it counts what a leg ended with. */
const KEPT_MS = 10_000

/** Whether an exit is gone, by the relays before it: a relay that legs of a path set share counts once. Times are monotonic ms. */
export class ExitWitnesses {
  /** Of legs that ended: when, and how the exit was then; by relay, a few at most, as legs are built one after the other. */
  readonly #ended = new Map<DidKey, { readonly at: number; readonly ms: number }>()

  /** A leg ended that was silent at the exit. */
  ended({ relay, ms }: SilentAtExit, now: number): void {
    this.#forget(now)
    this.#ended.set(relay, { at: now, ms })
  }

  /** The exit said something. */
  clear(): void {
    this.#ended.clear()
  }

  /** @param standing legs that did not end @returns the relays that agree that it is gone; undefined while it is not sure */
  verdict(standing: readonly SilentAtExit[], now: number): readonly DidKey[] | undefined {
    this.#forget(now)
    const silentMs = new Map([...this.#ended].map(([relay, { at, ms }]) => [relay, ms + now - at]))
    for (const { relay, ms } of standing) silentMs.set(relay, ms)
    const isSure = silentMs.size >= WITNESSES && Math.max(...silentMs.values()) >= GONE_MS
    return isSure ? [...silentMs.keys()] : undefined
  }

  #forget(now: number): void {
    for (const [relay, { at }] of this.#ended) if (now - at > KEPT_MS) this.#ended.delete(relay)
  }
}
