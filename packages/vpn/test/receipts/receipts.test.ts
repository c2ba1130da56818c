import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { Scope, systemRandom, WeftError } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import { ReceiptAnswer } from '@weft/onion'
import { eventually } from '../../../../test/lib/eventually.ts'
import { PacketPurse } from '../../src/receipts/packet-purse.ts'
import { type NumberedPayment, PacketTill } from '../../src/receipts/packet-till.ts'
import { SqliteReceiptBooks } from '../../src/receipts/receipt-books.ts'
import { EPOCH_MS } from '../../src/receipts/receipt-epoch.ts'
import type { IssuerKey, ReceiptIssuer } from '../../src/receipts/receipt-issuer.ts'
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
  await fixture.clock.advance(4_000)
  await eventually(
    'tokens',
    async () => client.status(undefined).tokens,
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
