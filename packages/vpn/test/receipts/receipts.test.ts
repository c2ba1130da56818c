import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { Scope, systemRandom, WeftError } from '@weft/core'
import { type DidKey, SigningKey } from '@weft/crypto'
import { ReceiptAnswer } from '@weft/onion'
import { eventually } from '../../../../test/lib/eventually.ts'
import { PacketPurse } from '../../src/receipts/packet-purse.ts'
import { type NumberedPayment, PacketTill } from '../../src/receipts/packet-till.ts'
import { SqliteReceiptBooks } from '../../src/receipts/receipt-books.ts'
import { EPOCH_MS } from '../../src/receipts/receipt-epoch.ts'
import { type IssuerKey, MAX_BATCH, type ReceiptIssuer } from '../../src/receipts/receipt-issuer.ts'
import { KeyRing } from '../../src/receipts/key-ring.ts'
import { Receipts } from '../../src/receipts/receipts.ts'
import { makeSpend } from '../../src/receipts/spend.ts'
import { IssuerFixture, NETWORK } from './issuer-fixture.ts'

const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
const hopKey = SigningKey.generate()
const clientId = SigningKey.generate().id

/** Both sides of pay: a client's and a hop's, as their main threads and packet threads have them. */
async function both(
  fixture: IssuerFixture,
  scope: Scope,
  change: (issuer: ReceiptIssuer) => ReceiptIssuer = (one) => one,
) {
  const { clock } = fixture
  const common = { networkId: NETWORK, redeemMs: 1_000, clock, random: systemRandom, logger: SILENT, scope }
  const { file, wallet } = fixture.wallet('client')
  scope.defer('wallet', async () => file[Symbol.dispose]())
  const hopWallet = fixture.wallet('hop')
  scope.defer('wallet of the hop', async () => hopWallet.file[Symbol.dispose]())
  const books = await SqliteReceiptBooks.open(join(fixture.directory, 'books'), scope)
  const client = new Receipts({ ...common, issuers: [change(fixture.as(clientId))], wallet, books: undefined })
  const hop = new Receipts({ ...common, issuers: [fixture.as(hopKey.id)], wallet: hopWallet.wallet, books })
  const purse = new PacketPurse(clock, (count) => purse.fill(client.takeTokens(count)))
  const till = new PacketTill({
    networkId: NETWORK,
    self: hopKey.publicKey,
    clock,
    keep: (payment: NumberedPayment) =>
      void hop.keep(payment).then((answer) => {
        till.kept(payment.number, answer)
      }),
  })
  let keys: readonly IssuerKey[] = []
  client.start(
    (known) => (keys = known),
    () => {},
  )
  hop.start(
    (known) => till.setKeys(known),
    () => {},
  )
  return { client, hop, purse, till, books, keys: () => keys }
}

const take = (till: PacketTill, spend: Uint8Array): Promise<ReceiptAnswer> =>
  new Promise((resolve) => till.take(spend, 'C', resolve))

test('tokens are fetched ahead, paid, kept and redeemed', async () => {
  await using fixture = await IssuerFixture.open({ quota: 2_000, guestQuota: 0 })
  await using scope = new Scope({ name: 'test', clock: fixture.clock })
  const { client, hop, purse, till, books } = await both(fixture, scope)
  await eventually(
    'tokens',
    async () => client.status(undefined).tokens,
    (count) => count >= 704,
  )
  await eventually(
    'keys',
    async () => till.keys.length,
    (count) => count === 1,
  )
  assert.equal(purse.pay(hopKey.publicKey, till.keys), undefined, 'the first asks for a stock')
  const spends = Array.from({ length: 5 }, () => purse.pay(hopKey.publicKey, till.keys) as Uint8Array)
  for (const spend of spends) assert.equal(await take(till, spend), ReceiptAnswer.taken)
  assert.equal(await take(till, spends[0] as Uint8Array), ReceiptAnswer.spent)
  assert.equal(
    purse.pay(hopKey.publicKey, [new Uint8Array(32)]),
    undefined,
    'no token of a key that nobody else was shown',
  )
  assert.deepEqual(books.totals.owed, 5)
  await fixture.clock.advance(2_000)
  await eventually(
    'redeemed',
    async () => books.totals.redeemed,
    (count) => count === 5,
  )
  assert.equal(hop.status(undefined).fault, undefined)
  client.putBack(purse.empty())
  assert.equal(client.status(undefined).tokens % 64, 59)
})

test('a client whose quota is spent says so, and pays again in the next epoch', async () => {
  await using fixture = await IssuerFixture.open({ quota: 0, guestQuota: 0 })
  await using scope = new Scope({ name: 'test', clock: fixture.clock })
  const { client, purse, till, keys } = await both(fixture, scope)
  await eventually(
    'an answer',
    async () => client.status(purse.status).fault?.code,
    (code) => code === 'E_RECEIPT_QUOTA',
  )
  assert.equal(purse.pay(hopKey.publicKey, till.keys), undefined)
  assert.equal(client.status(purse.status).fault?.code, 'E_RECEIPT_NO_TOKENS')
  assert.equal(keys().length, 2)
  await fixture.clock.advance(EPOCH_MS)
  await eventually(
    'the next key',
    async () => keys().length,
    (count) => count === 3,
  )
})

test('an issuer that names another key for an epoch than before, or cannot be asked, is told as that', async () => {
  await using fixture = await IssuerFixture.open()
  await using scope = new Scope({ name: 'test', clock: fixture.clock })
  let isDown = true
  const { client } = await both(fixture, scope, (issuer) => ({
    ...issuer,
    keys: async (signal) => {
      if (isDown) throw new WeftError({ code: 'E_NODE_UNREACHABLE', cause: 'It is away.', fix: 'Wait.' })
      return issuer.keys(signal)
    },
  }))
  await eventually(
    'a fault',
    async () => client.status(undefined).fault?.code,
    (code) => code === 'E_NODE_UNREACHABLE',
  )
  isDown = false
  await inTime(
    'tokens',
    fixture,
    4_000,
    () => client.status(undefined).tokens,
    (count) => count > 0,
  )
  assert.equal(client.status(undefined).fault, undefined)
})

/** A hop's till, whose books take all, and spends to it that are good. */
async function tillWith(fixture: IssuerFixture, spends: number) {
  const till = new PacketTill({
    networkId: NETWORK,
    self: hopKey.publicKey,
    clock: fixture.clock,
    keep: ({ number }) => till.kept(number, ReceiptAnswer.taken),
  })
  till.setKeys(await fixture.issuer.keys())
  const tokens = await fixture.tokens(clientId, spends)
  const told = (spend: Uint8Array, from: string): ReceiptAnswer => {
    let answer: ReceiptAnswer | undefined
    till.take(spend, from, (one) => (answer = one))
    return answer ?? assert.fail('no answer')
  }
  return { good: tokens.map((token) => makeSpend(token, hopKey.publicKey)), told }
}

test('what can be seen to be no payment takes none of the room for those that are verified', async () => {
  await using fixture = await IssuerFixture.open()
  const { good, told } = await tillWith(fixture, 1)
  const [spend = assert.fail()] = good
  const unknown = spend.slice()
  // A byte of its key id, behind type, nonce and challenge.
  unknown[2 + 64]! ^= 1
  for (let at = 0; at < 1_000; at++) {
    assert.equal(told(spend.subarray(1), 'flood'), ReceiptAnswer.malformed)
    assert.equal(told(unknown, 'flood'), ReceiptAnswer.unknownKey)
  }
  assert.equal(told(spend, 'flood'), ReceiptAnswer.taken)
})

test('who has much verified leaves room for the payments of other neighbours', async () => {
  await using fixture = await IssuerFixture.open()
  const { good, told } = await tillWith(fixture, 32)
  const bad = (good[0] as Uint8Array).slice()
  bad[417]! ^= 1
  const answers = Array.from({ length: 600 }, () => told(bad, 'flood'))
  assert.equal(answers.at(-1), ReceiptAnswer.noRoom)
  assert.ok(answers.filter((answer) => answer === ReceiptAnswer.notForThis).length >= 250)
  for (const spend of good) assert.equal(told(spend, 'other'), ReceiptAnswer.taken)
})

/** A hop that uses these issuers, on the clock of the fixture. */
async function hopWith(fixture: IssuerFixture, scope: Scope, issuers: readonly ReceiptIssuer[], redeemMs: number) {
  const { clock, directory } = fixture
  const { file, wallet } = fixture.wallet('hop')
  scope.defer('wallet', async () => file[Symbol.dispose]())
  const books = await SqliteReceiptBooks.open(join(directory, 'books'), scope)
  const init = { networkId: NETWORK, redeemMs, clock, random: systemRandom, logger: SILENT, scope }
  return { books, hop: new Receipts({ ...init, issuers, wallet, books }) }
}

/** Lets time go on until it is so. */
const inTime = <T>(what: string, { clock }: IssuerFixture, ms: number, look: () => T, holds: (seen: T) => boolean) =>
  eventually(
    what,
    async () => {
      await clock.advance(ms)
      return look()
    },
    holds,
  )

/** Other keys than that one, which nobody has the secret of. */
const keysLike = ({ bytes }: IssuerKey, from: number, count: number): readonly Uint8Array[] =>
  Array.from({ length: count }, (_, at) => {
    const other = bytes.slice()
    other[bytes.length - 40] = from + at
    return other
  })

test('an issuer that names the keys of another takes nothing from it, and no issuer has more than four', async () => {
  for (const isFirst of [true, false]) {
    await using fixture = await IssuerFixture.open()
    await using scope = new Scope({ name: 'test', clock: fixture.clock })
    const id = SigningKey.generate().id
    const copied: (readonly number[])[] = []
    const thief: ReceiptIssuer = {
      id,
      keys: async () => {
        const epoch = Math.floor(fixture.clock.now() / EPOCH_MS)
        const keys = await fixture.issuer.keys()
        const far = keysLike(keys[0] as IssuerKey, 8 * copied.length, 3)
        copied.push(keys.map((key) => key.epoch))
        const others = far.map((bytes, at) => ({ epoch: epoch + 9 + at, bytes }))
        return { keys: [...others, ...keys].map((key) => ({ ...key, issuer: id })), left: 0 }
      },
      issue: async () => [],
      redeem: async (spends) => spends.map(() => ReceiptAnswer.notAuthentic),
    }
    const own = fixture.as(hopKey.id)
    const { hop, books } = await hopWith(fixture, scope, isFirst ? [thief, own] : [own, thief], 600_000)
    const till = new PacketTill({
      networkId: NETWORK,
      self: hopKey.publicKey,
      clock: fixture.clock,
      keep: (payment) => void hop.keep(payment).then((answer) => till.kept(payment.number, answer)),
    })
    hop.start(
      (keys) => till.setKeys(keys),
      () => {},
    )
    const has = (issuer: DidKey): number => hop.keys.filter((key) => key.issuer === issuer).length
    await eventually(
      'keys',
      async () => Math.min(has(id), has(own.id), till.keys.length),
      (count) => count > 0,
    )
    for (const token of await fixture.tokens(clientId, 3))
      assert.equal(await take(till, makeSpend(token, hopKey.publicKey)), ReceiptAnswer.taken)
    await inTime(
      'redeemed',
      fixture,
      600_000,
      () => books.totals,
      ({ owed }) => owed === 0,
    )
    assert.deepEqual(books.totals, { owed: 0, redeemed: 3, refused: 0, lapsed: 0 })
    const told = hop.status(undefined).issuers.map(({ fault }) => fault)
    assert.deepEqual(
      told.map((fault) => fault?.code),
      ['E_RECEIPT_KEY', 'E_RECEIPT_KEY'],
      'it is not known which of them made the keys',
    )
    for (const issuer of [id, own.id]) assert.ok(told.every((fault) => fault?.cause.includes(issuer)))
    // Each day it names others of days that are far away.
    for (let day = 1; day <= 3; day++) {
      await fixture.clock.advance(EPOCH_MS)
      await inTime(
        'the keys of the day',
        fixture,
        60_000,
        () => has(own.id),
        (count) => count === Math.min(4, 2 + day),
      )
      assert.ok(has(id) <= 4)
    }
    assert.equal(has(id), 4)
    assert.ok(copied.length <= 5, 'it is asked once a day')
  }
})

test('an issuer has a key of its own for each epoch', async () => {
  await using fixture = await IssuerFixture.open()
  const [first, second] = await fixture.issuer.keys()
  assert.ok(first && second)
  const ring = new KeyRing(NETWORK)
  assert.deepEqual(ring.take([first, { ...first, epoch: second.epoch }]), [second.epoch])
  assert.deepEqual(ring.take([second, { ...first, bytes: second.bytes }]), [first.epoch])
  assert.deepEqual(
    ring.all().map(({ epoch, bytes }) => ({ issuer: first.issuer, epoch, bytes })),
    [first, second],
  )
})

test('what one issuer owes is redeemed while another one fails, does not answer, or is used no more', async () => {
  const failing = {
    refuses: async () => {
      throw new Error('it is away')
    },
    hangs: (_: unknown, signal: AbortSignal) =>
      new Promise<never>((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('closed')))),
    'has no room': async (spends: readonly Uint8Array[]) => spends.map(() => ReceiptAnswer.noRoom),
  }
  for (const [name, redeem] of [...Object.entries(failing), ['is gone', undefined] as const])
    for (const isFirst of [true, false]) {
      await using fixture = await IssuerFixture.open()
      await using good = await IssuerFixture.open()
      await using scope = new Scope({ name: 'test', clock: fixture.clock })
      const bad: ReceiptIssuer[] = redeem === undefined ? [] : [{ ...fixture.as(hopKey.id), redeem }]
      const own = good.as(hopKey.id)
      const issuers = isFirst ? [...bad, own] : [own, ...bad]
      const { books, hop } = await hopWith(fixture, scope, issuers, 1_000)
      const keep = async (payer: IssuerFixture, count: number): Promise<void> => {
        for (const token of await payer.tokens(clientId, count)) {
          const spend = makeSpend(token, hopKey.publicKey)
          await books.keep({ epoch: token.epoch, nonce: spend.slice(2, 34), spend })
        }
      }
      await keep(fixture, MAX_BATCH)
      // What the good one owes is younger, and stands behind a whole batch.
      for (const each of [fixture, good]) await each.clock.advance(EPOCH_MS)
      await keep(good, 2)
      hop.start(
        () => {},
        () => {},
      )
      await inTime(
        name,
        fixture,
        2_000,
        () => books.totals,
        ({ owed }) => owed === MAX_BATCH,
      )
      assert.deepEqual(books.totals, { owed: MAX_BATCH, redeemed: 2, refused: 0, lapsed: 0 }, name)
    }
})

test('an issuer that could not be asked to redeem is asked again soon, and another one in its own time', async () => {
  await using fixture = await IssuerFixture.open()
  await using other = await IssuerFixture.open()
  await using scope = new Scope({ name: 'test', clock: fixture.clock })
  const own = fixture.as(hopKey.id)
  let failures = 0
  let others = 0
  const flaky: ReceiptIssuer = {
    ...own,
    redeem: async (spends, signal) => {
      if (failures++ < 2) throw new WeftError({ code: 'E_NODE_UNREACHABLE', cause: 'It is away.', fix: 'Wait.' })
      return own.redeem(spends, signal)
    },
  }
  const calm: ReceiptIssuer = {
    ...other.as(hopKey.id),
    redeem: async (spends) => {
      others++
      return spends.map(() => ReceiptAnswer.noRoom)
    },
  }
  const redeemMs = EPOCH_MS / 3
  const { books, hop } = await hopWith(fixture, scope, [flaky, calm], redeemMs)
  for (const payer of [fixture, other])
    for (const token of await payer.tokens(clientId, 1)) {
      const spend = makeSpend(token, hopKey.publicKey)
      await books.keep({ epoch: token.epoch, nonce: spend.slice(2, 34), spend })
    }
  hop.start(
    () => {},
    () => {},
  )
  await fixture.clock.advance(1.25 * redeemMs)
  await inTime(
    'the first try',
    fixture,
    1_000,
    () => Math.min(failures, others),
    (count) => count > 0,
  )
  const before = fixture.clock.monotonic()
  await inTime(
    'redeemed',
    fixture,
    10_000,
    () => books.totals.redeemed,
    (count) => count === 1,
  )
  assert.ok(fixture.clock.monotonic() - before < redeemMs / 2)
  assert.equal(others, 1)
})
