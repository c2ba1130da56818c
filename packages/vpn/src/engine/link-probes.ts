import { type Clock, type Random, WeftError } from '@weft/core'
import type { CircuitLink, Link } from '@weft/onion'
import type { LossCount } from '@weft/overlay'
import { measureLoss } from './measure-loss.ts'
import type { ProbeTarget } from './probe-target.ts'

/** ms that a node has to answer a validator's handshake; five initiations are sent meanwhile. */
const PROBE_MS = 5_000

/** Links that are made to see whether a node that asks for admission answers, as it would a stranger. */
export class LinkProbes {
  readonly #clock: Clock
  readonly #connect: (target: ProbeTarget) => Link
  /** Settled by the link's state. Whoever asks meanwhile gets the same answer. */
  readonly #running = new Map<CircuitLink, PromiseWithResolvers<boolean>>()

  /** Links in use here, and by how many. */
  readonly #users = new Map<Link, number>()

  constructor(clock: Clock, connect: (target: ProbeTarget) => Link) {
    this.#clock = clock
    this.#connect = connect
  }

  /** @throws WeftError E_PACKETS_SILENT when nobody with its link key answers, and those of `LinkSet.connect` */
  async probe(target: ProbeTarget): Promise<void> {
    await this.#use(target, async () => {})
  }

  /** Counts the packets that are lost on a link to a node and back. @throws as `probe` */
  measure(target: ProbeTarget, random: Random): Promise<LossCount> {
    return this.#use(target, (link) => measureLoss(link, this.#clock, random))
  }

  /** Runs a task on a link that is up; ends the link after that unless somebody else uses it. */
  async #use<T>(target: ProbeTarget, task: (link: Link) => Promise<T>): Promise<T> {
    const link = this.#connect(target)
    this.#users.set(link, (this.#users.get(link) ?? 0) + 1)
    try {
      if (link.state !== 'up' && !(await (this.#running.get(link)?.promise ?? this.#run(link)))) throw silent(target)
      return await task(link)
    } finally {
      const others = (this.#users.get(link) ?? 1) - 1
      if (others > 0) this.#users.set(link, others)
      else this.#users.delete(link)
      if (others === 0 && link.circuits === 0) link.close('closed')
    }
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
    return answered
  }
}

function silent({ endpoint: { address, port }, over }: ProbeTarget): WeftError {
  const protocol = over === 'tls' ? 'TCP' : 'UDP'
  return new WeftError({
    code: 'E_PACKETS_SILENT',
    cause: `Nobody answered a link handshake with the key of the node at ${address}:${port} (${protocol}) within ${PROBE_MS / 1_000} s.`,
    fix: `Open the ${protocol} port for packets (ports.packets) for the outside.`,
  })
}
