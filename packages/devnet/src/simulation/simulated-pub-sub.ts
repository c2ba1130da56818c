import { type Logger, type Random, WeftError, messageOf, randomInt } from '@weft/core'
import type { AccessPolicy, PubSub, TopicMessage, Verdict } from '@weft/overlay'
import { MAX_PUBSUB_MESSAGE } from '@weft/wire'
import type { ConnectionEnd } from './connection.ts'
import type { SimulatedEndpoint } from './simulated-endpoint.ts'

export interface SimulatedPubSubOptions {
  readonly endpoint: SimulatedEndpoint
  readonly access: AccessPolicy
  readonly random: Random
  readonly logger: Logger
}

interface Subscription {
  readonly validate: (message: TopicMessage) => Verdict | Promise<Verdict>
  readonly handle: (message: TopicMessage) => void
}

/** Neighbours to whom a message is passed on: gossipsub's D (libp2p specifications, gossipsub 1.1, Parameters). */
const FANOUT = 8
/** Bytes around a message: its signature, its publisher, its topic. */
const OVERHEAD = 200

/**
 * Topics behind the overlay's port: what a node accepts, it passes on once to some of its neighbours that are members,
 * drawn anew for each message, and not over relays. As far as a flood goes this is gossipsub; its meshes, scores and repairs are not played.
 * Who published a message is known as gossipsub's signature would prove it.
 */
export class SimulatedPubSub implements PubSub {
  /** By endpoint, for neighbours to hand messages to. */
  static readonly #of = new WeakMap<ConnectionEnd, SimulatedPubSub>()
  readonly #options: SimulatedPubSubOptions
  readonly #subscriptions = new Map<string, Subscription>()
  readonly #seen = new WeakSet<TopicMessage>()

  constructor(options: SimulatedPubSubOptions) {
    this.#options = options
    SimulatedPubSub.#of.set(options.endpoint, this)
  }

  async publish(topic: string, data: Uint8Array): Promise<void> {
    if (data.length > MAX_PUBSUB_MESSAGE) {
      throw new WeftError({
        code: 'E_TOPIC_MESSAGE_TOO_LARGE',
        cause: `A message for the topic ${topic} has ${data.length} bytes; the limit is ${MAX_PUBSUB_MESSAGE}.`,
        fix: 'Publish a reference to the data instead.',
      })
    }
    const message: TopicMessage = { from: this.#options.endpoint.id, data }
    this.#seen.add(message)
    this.#passOn(topic, message)
  }

  subscribe(topic: string, validate: Subscription['validate'], handle: Subscription['handle']): () => void {
    if (this.#subscriptions.has(topic)) throw new RangeError(`pubsub: ${topic} is subscribed already`)
    this.#subscriptions.set(topic, { validate, handle })
    return () => this.#subscriptions.delete(topic)
  }

  async #receive(topic: string, message: TopicMessage, from: SimulatedEndpoint): Promise<void> {
    const { access, logger } = this.#options
    const subscription = this.#subscriptions.get(topic)
    if (subscription === undefined || this.#seen.has(message) || !access.allows(from.id, 'member')) return
    this.#seen.add(message)
    if (!access.allows(message.from, 'member')) return
    try {
      if ((await subscription.validate(message)) !== 'accept') return
      subscription.handle(message)
      this.#passOn(topic, message)
    } catch (error) {
      logger.error('a topic failed', { topic, error: messageOf(error) })
    }
  }

  #passOn(topic: string, message: TopicMessage): void {
    const { endpoint, access, random } = this.#options
    const neighbours = endpoint.peers().filter((id) => id !== message.from && access.allows(id, 'member'))
    for (let sent = 0; sent < FANOUT && neighbours.length > 0;) {
      const at = randomInt(random, neighbours.length)
      const id = neighbours[at]
      neighbours[at] = neighbours[neighbours.length - 1] as (typeof neighbours)[number]
      neighbours.pop()
      const connection = id === undefined ? undefined : endpoint.connection(id)
      const there = connection && SimulatedPubSub.#of.get(connection.other(endpoint))
      if (connection === undefined || there === undefined || connection.relayed) continue
      sent++
      connection.send(endpoint, message.data.length + OVERHEAD, () => void there.#receive(topic, message, endpoint))
    }
  }
}
