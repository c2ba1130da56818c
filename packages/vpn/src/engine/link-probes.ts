import { type Clock, WeftError } from '@weft/core'
import type { CircuitLink, Link } from '@weft/onion'
import type { ProbeTarget } from './probe-target.ts'

/** ms that a node has to answer a validator's handshake; five initiations are sent meanwhile. */
const PROBE_MS = 5_000

/** Links that are made to see whether a node that asks for admission answers, as it would a stranger. */
export class LinkProbes {
  readonly #clock: Clock
  readonly #connect: (target: ProbeTarget) => Link
  /** Settled by the link's state. Whoever asks meanwhile gets the same answer. */
  readonly #running = new Map<CircuitLink, PromiseWithResolvers<boolean>>()

  constructor(clock: Clock, connect: (target: ProbeTarget) => Link) {
    this.#clock = clock
    this.#connect = connect
  }

  /** @throws WeftError E_PACKETS_SILENT when nobody with its link key answers, and those of `LinkSet.connect` */
  async probe(target: ProbeTarget): Promise<void> {
    const link = this.#connect(target)
    if (link.state === 'up') return
    if (await (this.#running.get(link)?.promise ?? this.#run(link))) return
    const { address, port } = target.endpoint
    throw new WeftError({
      code: 'E_PACKETS_SILENT',
      cause: `Nobody answered a link handshake with the key of the node at ${address}:${port} (UDP) within ${PROBE_MS / 1_000} s.`,
      fix: 'Open the UDP port for packets (ports.public + 2) for the outside.',
    })
  }

  /** To be called when a link came up or went down. */
  onLink(link: CircuitLink, state: 'up' | 'down'): void {
    this.#running.get(link)?.resolve(state === 'up')
  }

  async #run(link: Link): Promise<boolean> {
    const answer = Promise.withResolvers<boolean>()
    const cancel = this.#clock.after(PROBE_MS, () => answer.resolve(false))
    this.#running.set(link, answer)
    const answered = await answer.promise
    cancel()
    this.#running.delete(link)
    if (link.circuits === 0) link.close('closed')
    return answered
  }
}
