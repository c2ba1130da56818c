import type { GossipSub, GossipsubOpts, Message } from '@libp2p/gossipsub'
import { TopicValidatorResult } from '@libp2p/gossipsub'
import { type Logger, WeftError, messageOf } from '@weft/core'
import { KiB, MAX_PUBSUB_MESSAGE, MiB } from '@weft/wire'
import { gossipScores } from './gossip-scores.ts'
import { didOfPeer } from './peer-id.ts'
import type { PubSub, TopicMessage, Verdict } from './pub-sub.ts'
import type { AccessPolicy } from './transport.ts'

/** How gossipsub runs here: strictly signed, bounded, scored, and silent about what has no subscriber. */
export function pubsubOptions(networkId: string): Partial<GossipsubOpts> {
  return {
    ...gossipScores(networkId),
    globalSignaturePolicy: 'StrictSign',
    emitSelf: false,
    doPX: false,
    fallbackToFloodsub: false,
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    // A message with its signature, sender and framing.
    maxInboundDataLength: MAX_PUBSUB_MESSAGE + 4 * KiB,
    maxOutboundBufferSize: 4 * MiB,
    maxTopicBytesPerPeer: 64 * KiB,
    maxInboundStreams: 2,
    maxOutboundStreams: 2,
    decodeRpcLimits: {
      maxSubscriptions: 128,
      maxMessages: 64,
      maxIhaveMessageIDs: 1_000,
      maxIwantMessageIDs: 1_000,
      maxIdontwantMessageIDs: 512,
      maxControlMessages: 64,
      maxPeerInfos: 0,
    },
  }
}

export interface GossipPubSubOptions {
  readonly gossip: GossipSub
  readonly networkId: string
  readonly access: AccessPolicy
  readonly logger: Logger
}

const VERDICTS = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject,
} as const satisfies Record<Verdict, TopicValidatorResult>

/** Our topics over gossipsub; the network's id is part of each, as it is of every protocol. */
export class GossipPubSub implements PubSub {
  readonly #options: GossipPubSubOptions
  readonly #handlers = new Map<string, (message: TopicMessage) => void>()

  constructor(options: GossipPubSubOptions) {
    this.#options = options
    options.gossip.addEventListener('message', (event) => this.#deliver(event.detail))
  }

  async publish(topic: string, data: Uint8Array): Promise<void> {
    if (data.length > MAX_PUBSUB_MESSAGE) throw tooLarge(topic, data.length)
    await this.#options.gossip.publish(this.#name(topic), data)
  }

  subscribe(
    topic: string,
    validate: (message: TopicMessage) => Verdict | Promise<Verdict>,
    handle: (message: TopicMessage) => void,
  ): () => void {
    const { gossip } = this.#options
    const name = this.#name(topic)
    if (this.#handlers.has(name)) throw new RangeError(`pubsub: ${topic} is subscribed already`)
    gossip.topicValidators.set(name, async (_, message) => VERDICTS[await this.#judge(topic, message, validate)])
    this.#handlers.set(name, handle)
    gossip.subscribe(name)
    return () => {
      gossip.unsubscribe(name)
      gossip.topicValidators.delete(name)
      this.#handlers.delete(name)
    }
  }

  async #judge(
    topic: string,
    message: Message,
    validate: (message: TopicMessage) => Verdict | Promise<Verdict>,
  ): Promise<Verdict> {
    const known = toTopicMessage(message)
    if (known === undefined || message.data.length > MAX_PUBSUB_MESSAGE) return 'reject'
    // Not a reason to punish the neighbour: its map may be newer than ours.
    if (!this.#options.access.allows(known.from, 'member')) return 'ignore'
    try {
      return await validate(known)
    } catch (error) {
      this.#options.logger.error('the validator of a topic failed', { topic, error: messageOf(error) })
      return 'ignore'
    }
  }

  #deliver(message: Message): void {
    const handle = this.#handlers.get(message.topic)
    const known = toTopicMessage(message)
    if (handle === undefined || known === undefined) return
    try {
      handle(known)
    } catch (error) {
      this.#options.logger.error('the handler of a topic failed', { topic: message.topic, error: messageOf(error) })
    }
  }

  #name(topic: string): string {
    return `/weft/${this.#options.networkId}/${topic}`
  }
}

function toTopicMessage(message: Message): TopicMessage | undefined {
  if (message.type !== 'signed' || message.from.type !== 'Ed25519') return undefined
  return { from: didOfPeer(message.from), data: message.data }
}

function tooLarge(topic: string, length: number): WeftError {
  return new WeftError({
    code: 'E_TOPIC_MESSAGE_TOO_LARGE',
    cause: `A message for the topic ${topic} has ${length} bytes; the limit is ${MAX_PUBSUB_MESSAGE}.`,
    fix: 'Publish a reference to the data instead.',
  })
}
