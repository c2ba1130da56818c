import {
  type Clock,
  type Logger,
  type Random,
  type Scope,
  WeftError,
  isWeftError,
  messageOf,
  shuffled,
  wait,
} from '@weft/core'
import { type DidKey, type SigningKey, fromDidKey, shortId } from '@weft/crypto'
import { METHODS, type Revocation, RevocationSchema, type Topic, decodeMessage, encodeMessage } from '@weft/wire'
import { epochAt } from '../network/epoch.ts'
import type { Network } from '../network/network.ts'
import { RpcHandlers } from '../rpc-handlers.ts'
import type { TopicMessage, Verdict } from '../transport/pub-sub.ts'
import type { Transport } from '../transport/transport.ts'
import type { RevocationStatus, RevocationVote } from '../overlay.ts'
import type { RevocationReason } from './revocation-body.ts'
import type { RevocationDatabase } from './revocation-database.ts'
import { RevocationDesk } from './revocation-desk.ts'
import { MAX_WIRE_REVOCATION, toWireRevocation, verifyRevocation } from './revocation.ts'
import type { Revocations } from './revocations.ts'

export interface RevocationServiceInit {
  readonly network: Network
  readonly key: SigningKey
  readonly transport: Pick<Transport, 'call' | 'handle' | 'pubsub' | 'connected'>
  readonly revocations: Revocations
  readonly database: RevocationDatabase
  /** Whether maps have passed this node by. */
  readonly isBehind: () => boolean
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

const TOPIC: Topic = 'revocation'
/** Map epochs between two questions for what gossip did not bring, and the nodes that are asked each time. */
const ASK_EVERY_EPOCHS = 60
const SOURCES = 2
/** Pages of one answer that are read: with the smallest pages far more revocations than a network has nodes. */
const MAX_PAGES = 64
/** Bytes of a list in one answer, less room for its framing. */
const PAGE = METHODS['revocation.list'].maxResponse - MAX_WIRE_REVOCATION - 1024
const NOT_A_VALIDATOR = {
  code: 'E_NOT_A_VALIDATOR',
  cause: 'This node is no validator of its network, and only validators vote on who is ejected.',
  fix: 'Run the command at a validator (WEFT_HOME), or write to the operator of one.',
}
const MALFORMED = { code: 'E_REVOCATION_MALFORMED', cause: 'The request carries no vote.', fix: 'Update the sender.' }

/** Spreads what validators decided, and asks for what was missed while this node was away. */
export class RevocationService {
  readonly #init: RevocationServiceInit
  readonly #rpc: RpcHandlers
  /** Of a validator. */
  #desk: RevocationDesk | undefined
  #wake = new AbortController()

  /** Registers its calls at once. */
  constructor(init: RevocationServiceInit) {
    const { transport, revocations } = init
    this.#init = init
    this.#rpc = new RpcHandlers(transport)
    transport.handle('revocation.list', async ({ offset }) => ({ revocations: pageOf(revocations, offset) }))
    this.onTerm()
  }

  /** To be called when a term begins: validators have a desk. */
  onTerm(): void {
    const { network, key, transport, revocations, database, clock, logger } = this.#init
    this.#rpc.end()
    this.#desk = undefined
    if (!network.isValidator(key.id)) return
    const tell = (revocation: Revocation): Promise<void> => this.#tell(revocation)
    const desk = new RevocationDesk({ network, key, rpc: transport, clock, logger, revocations, database, tell })
    this.#desk = desk
    this.#rpc.handle('revocation.vote', async ({ body, vote }) => {
      if (vote === undefined) throw new WeftError(MALFORMED)
      const { votes } = await desk.take(body, vote)
      return { votes }
    })
  }

  status(): RevocationStatus {
    const inForce = this.#init.revocations.all().map(({ body, votes }) => ({ ...body, votes: votes.length }))
    return { inForce, pending: this.#desk?.pending() ?? [] }
  }

  /** @throws WeftError E_NOT_A_VALIDATOR, and those of `RevocationDesk.vote` */
  async revoke(id: DidKey, reason: RevocationReason, blockMs: number, signal: AbortSignal): Promise<RevocationVote> {
    const { network, clock } = this.#init
    if (this.#desk === undefined) throw new WeftError(NOT_A_VALIDATOR)
    const now = clock.now()
    const withdrawn = reason === 'withdrawn'
    const issuedUpTo = withdrawn ? -1 : Math.max(0, epochAt(network.file, now))
    const blockedUntil = withdrawn ? 0 : now + blockMs
    const verdict = { id, key: fromDidKey(id), issuedUpTo, blockedUntil, reason }
    const { body, ...counted } = await this.#desk.vote(verdict, signal)
    return { ...counted, quorum: network.quorum, reason: body.reason, blockedUntil: body.blockedUntil }
  }

  /** Listens and asks until the scope closes. */
  start(scope: Scope): void {
    const { transport, revocations } = this.#init
    const unsubscribe = transport.pubsub.subscribe(
      TOPIC,
      (message) => this.#judge(message),
      ({ data }) => void revocations.offer(decodeMessage(RevocationSchema, data, MAX_WIRE_REVOCATION)),
    )
    scope.defer('revocation topic', unsubscribe)
    scope.spawn('revocations', (signal) => this.#askNowAndThen(signal))
  }

  /** To be called when this node has reason to think that it missed something: gossip reaches members only. */
  askSoon(): void {
    this.#wake.abort()
  }

  #judge({ data }: TopicMessage): Verdict {
    const { network, revocations } = this.#init
    try {
      // One that is over or was taken back is as valid as ever: any member could have it go round without end.
      const revocation = verifyRevocation(network, decodeMessage(RevocationSchema, data, MAX_WIRE_REVOCATION))
      return revocations.isNews(revocation) ? 'accept' : 'ignore'
    } catch (error) {
      // Validators may have taken their seats while this node was away.
      return isWeftError(error, 'E_REVOCATION_QUORUM') && this.#init.isBehind() ? 'ignore' : 'reject'
    }
  }

  async #tell(revocation: Revocation): Promise<void> {
    const { transport, logger } = this.#init
    await transport.pubsub.publish(TOPIC, encodeMessage(RevocationSchema, revocation)).catch((error: unknown) => {
      logger.warn('a revocation could not be told', { error: messageOf(error) })
    })
  }

  async #askNowAndThen(signal: AbortSignal): Promise<never> {
    const { clock, network, revocations } = this.#init
    for (let asked = false; ;) {
      const sources = this.#sources()
      for (const source of sources) asked = (await this.#ask(source, signal)) || asked
      revocations.prune()
      // Until somebody was there to ask it goes by epochs; what is revoked meanwhile is not in the map.
      const woken = this.#wake.signal
      await wait(
        clock,
        network.file.mapEpochMs * (asked ? ASK_EVERY_EPOCHS : 1),
        AbortSignal.any([signal, woken]),
      ).catch((error: unknown) => {
        if (!woken.aborted || signal.aborted) throw error
      })
      if (woken.aborted) this.#wake = new AbortController()
    }
  }

  /** Validators first: they must know all. */
  #sources(): readonly DidKey[] {
    const { transport, network, random } = this.#init
    const connected = shuffled(random, transport.connected())
    connected.sort((a, b) => Number(network.isValidator(b)) - Number(network.isValidator(a)))
    return connected.slice(0, SOURCES)
  }

  async #ask(source: DidKey, signal: AbortSignal): Promise<boolean> {
    const { transport, revocations, logger } = this.#init
    let offset = 0
    try {
      for (let page = 0; page < MAX_PAGES; page++) {
        const answer = await transport.call(source, 'revocation.list', { offset }, { signal })
        if (answer.revocations.length === 0) return true
        for (const revocation of answer.revocations) revocations.offer(revocation)
        offset += answer.revocations.length
      }
      return true
    } catch (error) {
      if (!signal.aborted)
        logger.debug('no revocations from this node', {
          node: shortId(source),
          code: isWeftError(error) ? error.code : undefined,
          error: messageOf(error),
        })
      return false
    }
  }
}

function pageOf(revocations: Revocations, offset: number): Revocation[] {
  const page: Revocation[] = []
  let room = PAGE
  for (const revocation of revocations.all().slice(offset)) {
    const message = toWireRevocation(revocation)
    room -= encodeMessage(RevocationSchema, message).length + 4
    if (room < 0) break
    page.push(message)
  }
  return page
}
