import { type Clock, toWeftError } from '@weft/core'
import {
  type DnsAnswer,
  type ExtendedError,
  answerTo,
  bareAnswer,
  extendedErrorOf,
  lifetimeOf,
  readAnswer,
  refusalOf,
} from '../dns/dns-answer.ts'
import { DnsCache } from '../dns/dns-cache.ts'
import { EDE, FLAG, RCODE } from '../dns/dns-codes.ts'
import { isSameQuestion, readQuestion } from '../dns/dns-message.ts'
import { type DnsQuery, forwardedQuery, readQuery } from '../dns/dns-query.ts'
import { localAnswer } from '../dns/local-names.ts'
import { namesPrivateAddress } from '../dns/private-addresses.ts'

export interface DnsAnswersInit {
  readonly clock: Clock
  /** Asks the exit. @throws WeftError */
  readonly ask: (make: (id: number) => Uint8Array) => Promise<Uint8Array>
}

/** What exits said over the routes in use, and what is being asked over them. */
interface Known {
  readonly cache: DnsCache
  readonly running: Map<string, Promise<DnsAnswer>>
}

/** Answers programs' questions for names: itself, from what was asked lately, or by asking the exit, each question once at a time. */
export class DnsAnswers {
  readonly #init: DnsAnswersInit
  #known = nothing()

  constructor(init: DnsAnswersInit) {
    this.#init = init
  }

  /**
   * Other routes are in use: what an exit of those before said, or is about to say, is asked anew. An address that was made for one client would
   * tell whoever owns it which other routes are of the same.
   */
  moved(): void {
    this.#known = nothing()
  }

  /** The answer to a message, and the query that it answers, if it was one; undefined for what gets no answer. Never rejects. */
  async answer(message: Uint8Array): Promise<{ readonly bytes: Uint8Array; readonly query?: DnsQuery } | undefined> {
    const query = readQuery(message)
    if (query === undefined) return undefined
    if ('rcode' in query) return { bytes: refusalOf(message, query.rcode) }
    return { query, bytes: localAnswer(query) ?? (await this.#lookUp(query)) }
  }

  async #lookUp(query: DnsQuery): Promise<Uint8Array> {
    const key = keyOf(query)
    const { cache, running } = this.#known
    const cached = cache.find(key, this.#init.clock.monotonic())
    if (cached !== undefined) return answerTo(query, cached.answer, cached.ageSeconds)
    let asked = running.get(key)
    if (asked === undefined) {
      asked = this.#ask(query, key, cache).finally(() => running.delete(key))
      running.set(key, asked)
    }
    try {
      return this.#handOn(query, await asked)
    } catch (error) {
      const { code, cause } = toWeftError(error, { code: 'E_INTERNAL', cause: 'It could not be asked for.', fix: '' })
      return bareAnswer(query, RCODE.serverFailure, { code: EDE.networkError, text: `${code}: ${cause}` })
    }
  }

  async #ask(query: DnsQuery, key: string, cache: DnsCache): Promise<DnsAnswer> {
    const bytes = await this.#init.ask((id) => forwardedQuery(query, id))
    const question = readQuestion(bytes)
    const answer = question === undefined || !isSameQuestion(question, query.question) ? undefined : readAnswer(bytes)
    if (answer === undefined) return NONSENSE
    if (!namesPrivateAddress(bytes, answer.records))
      cache.keep(key, answer, lifetimeOf(answer), this.#init.clock.monotonic())
    return answer
  }

  #handOn(query: DnsQuery, answer: DnsAnswer): Uint8Array {
    if (answer === NONSENSE) return bareAnswer(query, RCODE.serverFailure, NONSENSE_ERROR)
    // No records rather than a failure: of a failure programs ask their next name server, which no exit stands before.
    if (namesPrivateAddress(answer.bytes, answer.records)) return bareAnswer(query, RCODE.noError, BLOCKED)
    return answerTo(query, answer, 0, extendedErrorOf(answer))
  }
}

function nothing(): Known {
  return { cache: new DnsCache(), running: new Map() }
}

const NONSENSE: DnsAnswer = {
  bytes: new Uint8Array(),
  records: [],
  from: 0,
  end: 0,
  rcode: RCODE.serverFailure,
  options: undefined,
}
const NONSENSE_ERROR: ExtendedError = { code: EDE.other, text: "the exit's answer is none to this question" }
const BLOCKED: ExtendedError = { code: EDE.blocked, text: 'the name leads to an address that is not public' }

function keyOf({ question, flags, options }: DnsQuery): string {
  const isChecked = (flags & FLAG.checkingDisabled) === 0
  return `${question.type} ${isChecked ? 1 : 0}${options?.dnssecOk === true ? 1 : 0} ${question.name}`
}
