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
/** ms of silence, from when something was due, after which an exit is gone; one that is only held up for a moment keeps what runs over it, whatever one relay says. */
const GONE_MS = 1_700
/** ms for which it counts what a leg ended with. */
const KEPT_MS = 10_000
/** ms after such an end for which what comes may have been under way before: it refutes nothing. */
const UNDER_WAY_MS = 500

/** Whether an exit is gone, by the relays before it: a relay that legs of a path set share counts once, and what the exit says over any leg refutes what was said before. Times are monotonic ms. */
export class ExitWitnesses {
  /** Of legs that ended: when, and how the exit was then; by relay, a few at most, as legs are built one after the other. */
  readonly #ended = new Map<DidKey, { readonly at: number; readonly ms: number }>()
  /** When the exit said something last, over whichever leg. */
  #heardAt = -Infinity

  /** A leg ended that was silent at the exit. */
  ended({ relay, ms }: SilentAtExit, now: number): void {
    this.#forget(now)
    this.#ended.set(relay, { at: now, ms })
  }

  /** The exit said something, over whichever leg; as cheap as a packet that comes wants it. */
  heard(now: number): void {
    this.#heardAt = now
  }

  /** @param standing legs that did not end @returns the relays that agree that it is gone; undefined while it is not sure */
  verdict(standing: readonly SilentAtExit[], now: number): readonly DidKey[] | undefined {
    this.#forget(now)
    const silentMs = new Map([...this.#ended].map(([relay, { at, ms }]) => [relay, ms + now - at]))
    for (const { relay, ms } of standing) silentMs.set(relay, ms)
    const all = [...silentMs.values()]
    const told = all.filter((ms) => ms === Infinity).length
    const longest = Math.min(Math.max(...all.filter(Number.isFinite)), now - this.#heardAt)
    const isSure = told >= WITNESSES || (all.length >= WITNESSES && longest >= GONE_MS)
    return isSure ? [...silentMs.keys()] : undefined
  }

  #forget(now: number): void {
    for (const [relay, { at }] of this.#ended)
      if (now - at > KEPT_MS || this.#heardAt - at > UNDER_WAY_MS) this.#ended.delete(relay)
  }
}
