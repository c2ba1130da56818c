import assert from 'node:assert/strict'
import { chmodSync, readFileSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { concatBytes, Scope, seededRandom, toHex } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import { ReceiptAnswer } from '@weft/onion'
import fc from 'fast-check'
import { SqliteReceiptBooks } from '../../src/receipts/receipt-books.ts'
import { EPOCH_MS } from '../../src/receipts/receipt-epoch.ts'
import type { OwnToken } from '../../src/receipts/spend.ts'
import { WalletFile } from '../../src/receipts/wallet-file.ts'
import { IssuerFixture } from './issuer-fixture.ts'

const random = seededRandom(5)
const any = (epoch: number): OwnToken => ({ epoch, seed: random.bytes(32), token: random.bytes(354) })
const client = SigningKey.generate().id

test('a wallet has after a start what it had before, but for what was taken out, of which its file has no byte', async () => {
  await using fixture = await IssuerFixture.open()
  const path = join(fixture.directory, 'wallet')
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.boolean(), fc.nat(20)), { maxLength: 12 }), async (steps) => {
      let file = new WalletFile(path)
      file.remove(Infinity, () => true)
      const model = new Map<string, OwnToken>()
      const gone: Uint8Array[] = []
      for (const [adds, count] of steps) {
        if (adds) {
          const tokens = Array.from({ length: count }, (_, at) => any(at % 3))
          for (const token of tokens) model.set(toHex(token.seed), { ...token, seed: token.seed.slice() })
          file.add(tokens)
        } else
          for (const { seed } of file.remove(count, ({ epoch }) => epoch === 1)) {
            gone.push(seed.slice())
            assert.ok(model.delete(toHex(seed)))
          }
        file[Symbol.dispose]()
        file = new WalletFile(path)
        assert.deepEqual(new Set(file.tokens.map(({ seed }) => toHex(seed))), new Set(model.keys()))
      }
      const bytes = readFileSync(path)
      for (const seed of gone) assert.equal(bytes.indexOf(seed), -1)
      file[Symbol.dispose]()
    }),
    { numRuns: 15 },
  )
})

test('a wallet is for its owner alone, and half a token at its end is none', async () => {
  await using fixture = await IssuerFixture.open()
  const path = join(fixture.directory, 'wallet')
  {
    using file = new WalletFile(path)
    file.add([any(1), any(2)])
  }
  assert.equal(statSync(path).mode & 0o777, 0o600)
  truncateSync(path, 2 * 390 - 1)
  {
    using file = new WalletFile(path)
    assert.deepEqual(
      file.tokens.map(({ epoch }) => epoch),
      [1],
    )
  }
  chmodSync(path, 0o644)
  assert.throws(() => new WalletFile(path), { code: 'E_WALLET_FILE' })
})

test('tokens are fetched in batches, handed out once, and wiped when nobody takes them any more', async () => {
  await using fixture = await IssuerFixture.open()
  const { file, wallet } = fixture.wallet('c')
  using _ = file
  const key = await fixture.newestKey()
  const { signal } = new AbortController()
  await wallet.fetch(fixture.as(client), key, key.challenge, 100, signal)
  assert.equal(wallet.count(fixture.clock.now()), 64)
  assert.equal(new Set(wallet.take(10, fixture.clock.now()).map(({ token }) => toHex(token))).size, 10)
  assert.equal(wallet.count(fixture.clock.now()), 54)
  await fixture.clock.advance(EPOCH_MS)
  assert.equal(wallet.count(fixture.clock.now()), 54)
  await fixture.clock.advance(EPOCH_MS)
  assert.deepEqual([wallet.count(fixture.clock.now()), wallet.prune(fixture.clock.now())], [0, 54])
  const lying = { ...fixture.as(client), issue: async (_epoch: number, blinded: readonly Uint8Array[]) => blinded }
  await assert.rejects(wallet.fetch(lying, key, key.challenge, 1, signal), { code: 'E_RECEIPT_SIGNATURE' })
})

test('what books said they took is there after a start, once, until it is redeemed or nobody takes it back', async () => {
  await using fixture = await IssuerFixture.open()
  const directory = join(fixture.directory, 'books')
  const payments = Array.from({ length: 20 }, (_, at) => ({
    epoch: 10 + (at % 2),
    nonce: random.bytes(32),
    spend: concatBytes([random.bytes(34), new Uint8Array(32).fill(at % 2), random.bytes(352)]),
  }))
  const none = new Uint8Array()
  const challenges = [0, 1].map((epoch) => new Uint8Array(32).fill(epoch))
  {
    await using scope = new Scope({ name: 'test', clock: fixture.clock })
    const books = await SqliteReceiptBooks.open(directory, scope)
    const answers = await Promise.all([...payments, ...payments].map((payment) => books.keep(payment)))
    assert.deepEqual(answers.slice(0, 20), Array(20).fill(ReceiptAnswer.taken))
    assert.deepEqual(answers.slice(20), Array(20).fill(ReceiptAnswer.spent))
  }
  await using scope = new Scope({ name: 'test', clock: fixture.clock })
  const books = await SqliteReceiptBooks.open(directory, scope)
  assert.equal(books.totals.owed, 20)
  const owed = challenges.flatMap((challenge) => {
    const first = books.owed(challenge, none, 4)
    assert.equal(first.length, 4)
    return [...first, ...books.owed(challenge, first[3]!.nonce, 64)]
  })
  assert.equal(owed.length, 20)
  assert.deepEqual(new Set(owed.map(({ nonce }) => toHex(nonce))), new Set(payments.map(({ nonce }) => toHex(nonce))))
  const settled = await books.settle([
    { nonce: payments[0]!.nonce, answer: ReceiptAnswer.taken },
    { nonce: payments[0]!.nonce, answer: ReceiptAnswer.taken },
    { nonce: payments[1]!.nonce, answer: ReceiptAnswer.spent },
    { nonce: payments[2]!.nonce, answer: ReceiptAnswer.noRoom },
    { nonce: random.bytes(32), answer: ReceiptAnswer.taken },
  ])
  assert.equal(settled, 2)
  assert.deepEqual(books.totals, { owed: 18, redeemed: 1, refused: 1, lapsed: 0 })
  assert.equal(await books.keep(payments[0]!), ReceiptAnswer.spent, 'also what is redeemed')
  await books.prune(13)
  assert.deepEqual(books.totals, { owed: 9, redeemed: 1, refused: 1, lapsed: 9 })
  assert.deepEqual(
    challenges.map((challenge) => books.owed(challenge, none, 64).length),
    [0, 9],
  )
})
