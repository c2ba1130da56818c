import type { DidKey } from '@weft/crypto'
import type { ObjectContext } from './object-context.ts'

/**
 * Which holders are given up: those outside of the signed map for longer than the grace that one has to come back, and at
 * once those that validators ejected. Counted by the monotonic clock, so that no jump of the time of day gives anybody up;
 * a node that starts again counts anew.
 */
export class GoneHolders {
  readonly #context: Pick<ObjectContext, 'overlay' | 'clock'>
  readonly #graceMs: number
  /** When each was first seen outside of the map, ms of the monotonic clock. */
  readonly #since = new Map<DidKey, number>()

  constructor(context: Pick<ObjectContext, 'overlay' | 'clock'>, graceMs: number) {
    this.#context = context
    this.#graceMs = graceMs
  }

  isGone(node: DidKey): boolean {
    const { overlay, clock } = this.#context
    // Without a map nobody is known to be in it.
    if (overlay.membership.isMember(node) || overlay.membership.members().length === 0) {
      this.#since.delete(node)
      return false
    }
    const now = clock.monotonic()
    const since = this.#since.get(node) ?? now
    this.#since.set(node, since)
    if (now - since >= this.#graceMs) return true
    return overlay.revocations().inForce.some(({ id, issuedUpTo }) => id === node && issuedUpTo >= 0)
  }

  /** Keeps in mind only these. */
  forgetOthers(nodes: ReadonlySet<DidKey>): void {
    for (const node of this.#since.keys()) if (!nodes.has(node)) this.#since.delete(node)
  }
}
