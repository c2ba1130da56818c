import type { DidKey } from '@weft/crypto'

export interface TopicMessage {
  /** Who signed the message; verified. */
  readonly from: DidKey
  readonly data: Uint8Array
}

/** `reject` also counts against the neighbour that passed the message on; `ignore` only drops it. */
export type Verdict = 'accept' | 'ignore' | 'reject'

/** Topics among members: signed messages of at most MAX_PUBSUB_MESSAGE bytes, seen at most once, not ordered. */
export interface PubSub {
  /** Sends to all subscribers; does not reach the sender itself. @throws WeftError E_TOPIC_MESSAGE_TOO_LARGE */
  publish(topic: string, data: Uint8Array): Promise<void>
  /**
   * Subscribes once per topic. Only messages of members reach `validate`, and only accepted ones reach `handle` and
   * are passed on. A validator that throws ignores the message. Returns the unsubscribe function.
   */
  subscribe(
    topic: string,
    validate: (message: TopicMessage) => Verdict | Promise<Verdict>,
    handle: (message: TopicMessage) => void,
  ): () => void
}
