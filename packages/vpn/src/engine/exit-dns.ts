import { isWeftError } from '@weft/core'
import { SessionCode, type SessionStream } from '@weft/onion'
import { bareAnswer, readAnswer, refusalOf } from '../dns/dns-answer.ts'
import { EDE, RCODE } from '../dns/dns-codes.ts'
import { type DnsQuery, forwardedQuery, readQuery } from '../dns/dns-query.ts'
import { MessageFramer, framed } from '../dns/message-framer.ts'
import { namesPrivateAddress } from '../dns/private-addresses.ts'
import type { DnsAsker } from '../exit/dns-asker.ts'
import type { SessionShares } from '../exit/session-shares.ts'

/** Streams of DNS of one session. */
const MAX_STREAMS = 4
/**
 * Bytes of answers that wait on one stream, however little memory there is for its session: that can be the doing of its other streams, and
 * answers are small.
 */
const MIN_WAITING = 16_384
/** Bytes of a question: a name and what may stand beside it. */
const MAX_QUERY_BYTES = 1_024
/** Before each message. */
const LENGTH_BYTES = 2

export interface ExitDnsInit {
  readonly asker: DnsAsker
  /** Names that are asked for now, those of connections and datagrams among them. */
  readonly lookups: SessionShares
}

/** The streams by which clients have this exit ask its name servers. */
export class ExitDns {
  readonly #asker: DnsAsker
  readonly #lookups: SessionShares
  /** Streams of each session. */
  readonly #streams = new WeakMap<object, number>()

  constructor({ asker, lookups }: ExitDnsInit) {
    this.#asker = asker
    this.#lookups = lookups
  }

  /** @param session whose streams are counted together */
  take(stream: SessionStream, session: object, wake: () => void): void {
    const count = (by: number): void => void this.#streams.set(session, (this.#streams.get(session) ?? 0) + by)
    if ((this.#streams.get(session) ?? 0) >= MAX_STREAMS) {
      stream.refuse(SessionCode.limit)
      wake()
      return
    }
    count(1)
    let isOver = false
    const over = (): void => {
      if (isOver) return
      isOver = true
      count(-1)
    }
    const room = (): number => Math.max(stream.room, MIN_WAITING - stream.send.buffered)
    const answer = (question: Uint8Array, message: Uint8Array): void => {
      if (isOver) return
      const fits = ({ length }: Uint8Array): boolean => LENGTH_BYTES + length <= room()
      const said = fits(message) ? message : tooMany(question)
      if (!fits(said)) return
      stream.write(framed(said))
      wake()
    }
    const framer = new MessageFramer(MAX_QUERY_BYTES, (message) => {
      // Whoever takes no answers gets no more of them.
      if (room() <= 0) return
      if (!this.#lookups.take(session)) return answer(message, tooMany(message))
      void this.#answer(message).then((bytes) => {
        this.#lookups.give(session)
        answer(message, bytes)
      })
    })
    stream.handler = {
      onData: (chunk) => {
        if (isOver) return
        stream.consume(chunk.length)
        if (!framer.push(chunk)) {
          over()
          stream.reset(SessionCode.violation)
        }
        wake()
      },
      onEnd: () => {
        over()
        stream.end()
        wake()
      },
      onReset: over,
    }
    stream.accept('0.0.0.0')
    wake()
  }

  async #answer(message: Uint8Array): Promise<Uint8Array> {
    const query = readQuery(message)
    if (query === undefined) return refusalOf(message, RCODE.formatError)
    if ('rcode' in query) return refusalOf(message, query.rcode)
    let bytes: Uint8Array
    try {
      bytes = await this.#asker.ask(forwardedQuery(query, query.id))
    } catch (error) {
      if (isWeftError(error, 'E_NAME_LIMIT')) return tooMany(message)
      const text = 'no name server of the exit answered'
      return bareAnswer(query, RCODE.serverFailure, { code: EDE.noReachableAuthority, text })
    }
    return this.#checked(query, bytes)
  }

  /** What the operator's own network is called by its name servers is nobody's outside. */
  #checked(query: DnsQuery, bytes: Uint8Array): Uint8Array {
    const answer = readAnswer(bytes)
    if (answer === undefined)
      return bareAnswer(query, RCODE.serverFailure, {
        code: EDE.other,
        text: 'a name server of the exit answered nonsense',
      })
    if (!namesPrivateAddress(bytes, answer.records)) return bytes
    return bareAnswer(query, RCODE.noError, {
      code: EDE.blocked,
      text: 'the name leads to an address that is not public',
    })
  }
}

function tooMany(message: Uint8Array): Uint8Array {
  const query = readQuery(message)
  if (query === undefined || 'rcode' in query) return refusalOf(message, RCODE.serverFailure)
  const text = 'the exit resolves as many names as it takes'
  return bareAnswer(query, RCODE.serverFailure, { code: EDE.notReady, text })
}
