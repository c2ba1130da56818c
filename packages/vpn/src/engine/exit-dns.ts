import { type Clock, isWeftError } from '@weft/core'
import { SessionCode, type SessionStream, TokenBucket } from '@weft/onion'
import { bareAnswer, readAnswer, refusalOf } from '../dns/dns-answer.ts'
import { EDE, HEADER_BYTES, RCODE } from '../dns/dns-codes.ts'
import { type DnsQuery, forwardedQuery, readQuery } from '../dns/dns-query.ts'
import { localAnswer } from '../dns/local-names.ts'
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
/**
 * Questions of one session, a second and at once; a question costs an exit as much as a connection. What is beyond is not answered, so that
 * it costs nothing; the client here keeps answers for as long as they hold.
 */
const QUESTIONS_PER_SECOND = 256
const QUESTIONS_BURST = 1_024
/** Messages of a stream that are no question which can be asked: from the client here none is. */
const MAX_MALFORMED = 8
/** Bytes of a question: a name and what may stand beside it. */
const MAX_QUERY_BYTES = 1_024
/** Before each message. */
const LENGTH_BYTES = 2

/** What one session has. */
interface Share {
  streams: number
  readonly questions: TokenBucket
}

export interface ExitDnsInit {
  readonly clock: Clock
  readonly asker: DnsAsker
  /** Names that are asked for now, those of connections and datagrams among them. */
  readonly lookups: SessionShares
}

/** The streams by which clients have this exit ask its name servers. */
export class ExitDns {
  readonly #clock: Clock
  readonly #asker: DnsAsker
  readonly #lookups: SessionShares
  readonly #ofSession = new WeakMap<object, Share>()

  constructor({ clock, asker, lookups }: ExitDnsInit) {
    this.#clock = clock
    this.#asker = asker
    this.#lookups = lookups
  }

  /** @param session whose streams are counted together */
  take(stream: SessionStream, session: object, wake: () => void): void {
    const share = this.#shareOf(session)
    if (share.streams >= MAX_STREAMS) {
      stream.refuse(SessionCode.limit)
      wake()
      return
    }
    share.streams++
    let isOver = false
    const over = (): void => {
      if (isOver) return
      isOver = true
      share.streams--
    }
    const room = (): number => Math.max(stream.room, MIN_WAITING - stream.send.buffered)
    const answer = (question: Uint8Array, message: Uint8Array): void => {
      if (isOver) return
      // However little memory there is for all: an answer without room is lost, not its stream.
      const fits = ({ length }: Uint8Array): boolean =>
        LENGTH_BYTES + length <= room() && stream.send.mayAppend(LENGTH_BYTES + length)
      const said = fits(message) ? message : tooMany(question)
      if (!fits(said)) return
      stream.write(framed(said))
      wake()
    }
    const violate = (): void => {
      over()
      stream.reset(SessionCode.violation)
    }
    let malformed = 0
    const onMessage = (message: Uint8Array): void => {
      // Whoever takes no answers gets no more of them.
      if (isOver || room() <= 0 || !share.questions.take(this.#clock.monotonic())) return
      const query = readQuery(message)
      if ((query === undefined || 'rcode' in query) && ++malformed > MAX_MALFORMED) return violate()
      // It is a reply.
      if (query === undefined) return
      if (!this.#lookups.take(session)) return answer(message, tooMany(message))
      void this.#answer(message, query).then((bytes) => {
        this.#lookups.give(session)
        answer(message, bytes)
      })
    }
    const framer = new MessageFramer(MAX_QUERY_BYTES, onMessage, HEADER_BYTES)
    stream.handler = {
      onData: (chunk) => {
        if (isOver) return
        stream.consume(chunk.length)
        if (!framer.push(chunk)) violate()
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

  #shareOf(session: object): Share {
    let share = this.#ofSession.get(session)
    if (share === undefined) {
      const questions = new TokenBucket(QUESTIONS_PER_SECOND, QUESTIONS_BURST, this.#clock.monotonic())
      share = { streams: 0, questions }
      this.#ofSession.set(session, share)
    }
    return share
  }

  async #answer(message: Uint8Array, query: NonNullable<ReturnType<typeof readQuery>>): Promise<Uint8Array> {
    if ('rcode' in query) return refusalOf(message, query.rcode)
    // Clients answer these themselves. Who asks for one all the same wants what the operator's own name servers know.
    const local = localAnswer(query)
    if (local !== undefined) return local
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
