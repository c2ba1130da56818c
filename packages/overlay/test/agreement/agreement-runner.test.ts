import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock, silentLogger } from '@weft/core'
import {
  AgreementEvidenceSchema,
  AgreementPullRequestSchema,
  type AgreementSendRequest,
  create,
  decodeMessage,
} from '@weft/wire'
import type { AgreementMessage } from '../../src/agreement/agreement-message.ts'
import { AgreementRunner, type AgreementRunnerInit } from '../../src/agreement/agreement-runner.ts'
import { verifyEquivocation } from '../../src/agreement/equivocation.ts'
import { summaryToWire } from '../../src/agreement/summary.ts'
import { fromWire, toWire } from '../../src/agreement/wire-form.ts'
import type { Rpc } from '../../src/rpc.ts'
import { MembershipDatabase } from '../../src/state/membership-database.ts'
import { BEGIN, EPOCH, advance, codeOf, temporaryDirectory } from '../fixtures.ts'
import { EPOCH_NUMBER, VALUE, asVote, fixture, keyOf, proposalIn, quorumBy, set, voteBy } from './fixtures.ts'

type Handler = (request: unknown) => Promise<{ messages: never[] }>

/** The proposer of round 0 of EPOCH_NUMBER, alone with what it would have sent. */
class Lone implements AsyncDisposable {
  readonly sent: AgreementMessage[] = []
  readonly decided: Uint8Array[] = []
  readonly clock: VirtualClock
  readonly database: MembershipDatabase
  readonly #handlers = new Map<string, Handler>()
  readonly #stop = new AbortController()
  readonly #running: Promise<unknown>

  constructor(directory: string, at = EPOCH_NUMBER, changes: Partial<AgreementRunnerInit> = {}) {
    this.clock = new VirtualClock(BEGIN + at * EPOCH + 10)
    this.database = new MembershipDatabase(directory)
    const rpc = {
      call: async (_to: unknown, method: string, request: unknown) => {
        const { message } = request as AgreementSendRequest
        if (method === 'agreement.send' && message !== undefined) this.sent.push(fromWire(set, message))
        return { messages: [] }
      },
      handle: (method: string, handler: Handler) => void this.#handlers.set(method, handler),
    } as unknown as Rpc
    const runner = new AgreementRunner({
      network: fixture.network,
      term: fixture.network.term,
      key: keyOf(0),
      rpc,
      store: this.database,
      clock: this.clock,
      logger: silentLogger,
      isReady: () => true,
      propose: () => VALUE,
      judge: () => true,
      onProposed: () => {},
      onDecision: (_epoch, value) => this.decided.push(value),
      ...changes,
    })
    this.#running = runner.run(this.#stop.signal).catch(() => {})
  }

  send(message: AgreementMessage): Promise<unknown> {
    return this.#call('agreement.send', { message: toWire(set, message) })
  }

  async pull(epoch: number): Promise<AgreementMessage[]> {
    const none = { round: 0, proposal: false, prevotes: new Set<number>(), precommits: new Set<number>() }
    const request = summaryToWire({ epoch, ...none, validRound: undefined })
    const { messages } = await this.#call('agreement.pull', create(AgreementPullRequestSchema, request))
    return messages.map((message) => fromWire(set, message))
  }

  /** What it said, each once though it went to three. */
  payloads(): string[] {
    const said = this.sent.flatMap((message) =>
      message.kind === 'certificate' ? [] : (message.kind === 'vote' ? message.vote : message.proposal).payload.toHex(),
    )
    return [...new Set(said)]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#running
    this.database[Symbol.dispose]()
  }

  #call(method: string, request: unknown): Promise<{ messages: never[] }> {
    return (this.#handlers.get(method) as Handler)(request)
  }
}

test('after a restart it says again what it said, and nothing else', async () => {
  using directory = temporaryDirectory()
  let before: string[]
  {
    await using lone = new Lone(directory.path)
    await advance(lone.clock, 0)
    before = lone.payloads()
    assert.equal(before.length, 2, 'a proposal and a prevote')
  }
  await using again = new Lone(directory.path, EPOCH_NUMBER, { propose: () => Uint8Array.of(9), judge: () => false })
  await advance(again.clock, 0)
  assert.deepEqual(again.payloads(), before)
})

test('what cannot be written down is never said, nor told to who asks', async () => {
  using directory = temporaryDirectory()
  const store = {
    agreement: () => undefined,
    saveEvidence: () => {},
    saveAgreement: () => {
      throw new Error('the disk is full')
    },
  }
  await using lone = new Lone(directory.path, EPOCH_NUMBER, { store })
  await advance(lone.clock, EPOCH / 2)
  assert.deepEqual(lone.sent, [])
  assert.deepEqual(await lone.pull(EPOCH_NUMBER), [])
})

test('a decision alone is enough to catch up, and is handed on, also in the epoch after', async () => {
  using directory = temporaryDirectory()
  await using lone = new Lone(directory.path)
  await advance(lone.clock, 0)
  const other = Uint8Array.of(4)
  const certificate = { quorum: quorumBy([1, 2, 3], 5, 'precommit', other), value: other }
  await lone.send({ kind: 'certificate', certificate })
  assert.deepEqual(lone.decided, [other])
  await lone.send({ kind: 'certificate', certificate })
  assert.equal(lone.decided.length, 1)
  await advance(lone.clock, EPOCH)
  assert.deepEqual(await lone.pull(EPOCH_NUMBER), [{ kind: 'certificate', certificate }])
  assert.deepEqual(await lone.pull(EPOCH_NUMBER - 1), [])
})

test('what is early waits for its epoch; what is of another time is refused', async () => {
  using directory = temporaryDirectory()
  await using lone = new Lone(directory.path, EPOCH_NUMBER - 1)
  await advance(lone.clock, EPOCH / 2)
  const nil = (epoch: number) => asVote(voteBy(1, 0, 'prevote', undefined, { epoch }))
  assert.equal(await codeOf(() => lone.send(nil(EPOCH_NUMBER))), 'E_AGREEMENT_EPOCH')
  await lone.clock.advance(EPOCH / 2 - 20)
  await lone.send({ kind: 'proposal', proposal: proposalIn(1, VALUE) })
  await lone.send(nil(EPOCH_NUMBER))
  assert.equal(await codeOf(() => lone.send(nil(EPOCH_NUMBER - 2))), 'E_AGREEMENT_EPOCH')
  assert.equal(await codeOf(() => lone.send(nil(EPOCH_NUMBER + 1))), 'E_AGREEMENT_EPOCH')
  await lone.clock.advance(20)
  assert.ok(
    (await lone.pull(EPOCH_NUMBER)).some(({ kind }) => kind === 'proposal'),
    'and is in the log of its own',
  )
})

test('a vote that came twice is evidence on the disk, which proves it', async () => {
  using directory = temporaryDirectory()
  await using lone = new Lone(directory.path)
  await advance(lone.clock, 0)
  for (const value of [VALUE, undefined, Uint8Array.of(7)]) await lone.send(asVote(voteBy(2, 0, 'prevote', value)))
  const [evidence, ...more] = lone.database.evidence()
  assert.deepEqual(more, [])
  const read = decodeMessage(AgreementEvidenceSchema, evidence ?? new Uint8Array(), 4_096)
  assert.deepEqual(verifyEquivocation(set, read), { validator: 2, epoch: EPOCH_NUMBER })
})

test('a clock that is set back takes up what was said then', async () => {
  using directory = temporaryDirectory()
  let said: string[]
  {
    await using lone = new Lone(directory.path)
    await advance(lone.clock, 0)
    said = lone.payloads()
  }
  {
    await using ahead = new Lone(directory.path, EPOCH_NUMBER + 40)
    await advance(ahead.clock, EPOCH)
    assert.equal(ahead.payloads().length > 0, true)
  }
  await using back = new Lone(directory.path, EPOCH_NUMBER, { propose: () => Uint8Array.of(9) })
  await advance(back.clock, 0)
  assert.deepEqual(back.payloads(), said)
})

test('of an epoch so long ago that it may be forgotten nothing is said', () => {
  using directory = temporaryDirectory()
  using database = new MembershipDatabase(directory.path)
  for (let epoch = 100; epoch < 164; epoch++) database.saveAgreement(epoch, Uint8Array.of(epoch))
  assert.equal(database.agreement(99), 'spent')
  assert.deepEqual(database.agreement(100), Uint8Array.of(100))
  assert.equal(database.agreement(164), undefined)
  database.saveAgreement(164, Uint8Array.of(1))
  assert.equal(database.agreement(100), 'spent')
})
