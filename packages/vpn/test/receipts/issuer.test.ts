import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { concatBytes, seededRandom } from '@weft/core'
import { fromDidKey, SigningKey, verifySignature } from '@weft/crypto'
import { ReceiptAnswer } from '@weft/onion'
import fc from 'fast-check'
import { checkSpend, makeSpend, parseSpend, SPEND_BYTES } from '../../src/receipts/spend.ts'
import { EPOCH_MS, receiptEpoch } from '../../src/receipts/receipt-epoch.ts'
import { IssuerFixture } from './issuer-fixture.ts'

const client = SigningKey.generate().id
const payee = SigningKey.generate()
const other = SigningKey.generate()

test('a token is spent to one payee, and to nobody else', async () => {
  await using fixture = await IssuerFixture.open()
  const [own] = await fixture.tokens(client, 1)
  assert.ok(own)
  const ring = await fixture.ring()
  const spend = makeSpend(own, payee.publicKey)
  assert.equal(spend.length, SPEND_BYTES)
  const good = checkSpend(spend, payee.publicKey, ring, () => true)
  assert.ok(typeof good === 'object')
  assert.equal(
    checkSpend(spend, other.publicKey, ring, () => true),
    ReceiptAnswer.notForThis,
  )
  assert.equal(
    checkSpend(spend, payee.publicKey, ring, () => false),
    ReceiptAnswer.unknownKey,
  )
  // Whoever is paid cannot bind it anew: he has the token, and not its key.
  const stolen = concatBytes([own.token, other.sign('receipt', concatBytes([other.publicKey, own.token]))])
  assert.equal(
    checkSpend(stolen, other.publicKey, ring, () => true),
    ReceiptAnswer.notForThis,
  )
  fc.assert(
    fc.property(fc.nat(SPEND_BYTES - 1), fc.nat(7), (at, bit) => {
      const changed = spend.slice()
      changed[at] = (changed[at] as number) ^ (1 << bit)
      assert.equal(typeof checkSpend(changed, payee.publicKey, ring, () => true), 'number', `byte ${at}`)
    }),
  )
})

test('no bytes make the parser of spends throw', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 430 }), (bytes) => void parseSpend(bytes)))
  const random = seededRandom(3)
  for (const length of [0, 1, SPEND_BYTES - 1, SPEND_BYTES + 1])
    assert.equal(parseSpend(random.bytes(length)), undefined)
})

test('a spend is taken back once, from its payee; a second one of the same token is not', async () => {
  await using fixture = await IssuerFixture.open()
  const [one, two] = await fixture.tokens(client, 2)
  assert.ok(one && two)
  const spends = [makeSpend(one, payee.publicKey), makeSpend(two, payee.publicKey), makeSpend(one, other.publicKey)]
  const own = fixture.as(payee.id)
  const signal = new AbortController().signal
  assert.deepEqual(await own.redeem(spends, signal), [
    ReceiptAnswer.taken,
    ReceiptAnswer.taken,
    ReceiptAnswer.notForThis,
  ])
  assert.deepEqual(await own.redeem(spends.slice(0, 1), signal), [ReceiptAnswer.taken], 'its answer may have been lost')
  assert.deepEqual(await fixture.as(other.id).redeem(spends, signal), [
    ReceiptAnswer.notForThis,
    ReceiptAnswer.notForThis,
    ReceiptAnswer.spent,
  ])
  await fixture.restart()
  assert.deepEqual(await fixture.as(other.id).redeem(spends.slice(2), signal), [ReceiptAnswer.spent])
})

test('nobody gets more than the quota, those who are no members share one, and a request once more is not counted', async () => {
  await using fixture = await IssuerFixture.open({ quota: 8, guestQuota: 4 })
  const { issuer } = fixture
  const key = await fixture.newestKey()
  const blinded = concatBytes(
    [1, 2, 3, 4, 5].map((last) => key.key.blind(Uint8Array.of(last), seededRandom(last)).blinded),
  )
  const first = await issuer.issue(client, true, key.epoch, blinded)
  assert.deepEqual(await issuer.issue(client, true, key.epoch, blinded), first)
  assert.equal(issuer.left(client, true), 3)
  const less = blinded.subarray(0, 4 * 256)
  await assert.rejects(issuer.issue(client, true, key.epoch, less), { code: 'E_RECEIPT_QUOTA' })
  await fixture.restart()
  assert.equal(fixture.issuer.left(client, true), 3)
  await fixture.issuer.issue(client, false, key.epoch, less)
  await assert.rejects(fixture.issuer.issue(other.id, false, key.epoch, less.subarray(0, 256)), {
    code: 'E_RECEIPT_QUOTA',
  })
  for (const wrong of [new Uint8Array(), less.subarray(1), new Uint8Array(65 * 256)])
    await assert.rejects(fixture.issuer.issue(payee.id, true, key.epoch, wrong), { code: 'E_RECEIPT_REQUEST' })
  await assert.rejects(fixture.issuer.issue(payee.id, true, key.epoch, new Uint8Array(256).fill(255)), {
    code: 'E_RECEIPT_REQUEST',
  })
  await assert.rejects(fixture.issuer.issue(payee.id, true, key.epoch + 1, less), { code: 'E_RECEIPT_EPOCH' })
})

test('a key is of one epoch: issued in it, taken back for three, and then wiped', async () => {
  await using fixture = await IssuerFixture.open()
  const [own] = await fixture.tokens(client, 1)
  assert.ok(own)
  const spend = makeSpend(own, payee.publicKey)
  const signal = new AbortController().signal
  const names = (): readonly string[] =>
    readdirSync(join(fixture.directory, 'issuer')).filter((name) => name.endsWith('.key'))
  const epoch = receiptEpoch(fixture.clock.now())
  assert.deepEqual(names(), [`epoch-${epoch}.key`, `epoch-${epoch + 1}.key`])
  assert.equal(statSync(join(fixture.directory, 'issuer', `epoch-${epoch}.key`)).mode & 0o777, 0o600)
  await fixture.clock.advance(2 * EPOCH_MS)
  assert.deepEqual(await fixture.as(payee.id).redeem([spend], signal), [ReceiptAnswer.taken])
  await fixture.clock.advance(EPOCH_MS)
  assert.deepEqual(await fixture.as(payee.id).redeem([spend], signal), [ReceiptAnswer.unknownKey])
  assert.ok(!names().includes(`epoch-${epoch}.key`))
})

test('an issuer that was down at the turn of their days wipes old keys when it is there again', async () => {
  await using fixture = await IssuerFixture.open()
  await fixture.scope[Symbol.asyncDispose]()
  await fixture.clock.advance(6 * EPOCH_MS)
  await fixture.restart()
  const epoch = receiptEpoch(fixture.clock.now())
  const names = readdirSync(join(fixture.directory, 'issuer')).filter((name) => name.endsWith('.key'))
  assert.deepEqual(names, [`epoch-${epoch}.key`, `epoch-${epoch + 1}.key`])
})

test('what an issuer keeps tells who had how many, and who redeemed what; nothing leads from one to the other', async () => {
  await using fixture = await IssuerFixture.open()
  const tokens = await fixture.tokens(client, 3)
  const spends = tokens.map((own) => makeSpend(own, payee.publicKey))
  await fixture.as(payee.id).redeem(spends, new AbortController().signal)
  const kept = readdirSync(join(fixture.directory, 'issuer'))
    .map((name) => readFileSync(join(fixture.directory, 'issuer', name)).toString('latin1'))
    .join('')
  const has = (bytes: Uint8Array): boolean => kept.includes(Buffer.from(bytes).toString('latin1'))
  assert.ok(kept.includes(client))
  assert.ok(has(fromDidKey(payee.id)))
  for (const { token } of tokens) {
    assert.ok(has(token.subarray(2, 34)), 'the nonce, with the payee')
    assert.ok(!has(token.subarray(98, 130)), 'no signature of a token')
  }
})

test('a spend is the one of the vector', () => {
  const vector = JSON.parse(readFileSync(new URL('../vectors/receipts.json', import.meta.url), 'utf8')) as Record<
    string,
    string
  >
  const bytes = (name: string): Uint8Array => Uint8Array.fromHex(vector[name] ?? '')
  const own = { epoch: Number(vector['epoch']), seed: bytes('seed'), token: bytes('token') }
  assert.deepEqual(makeSpend(own, bytes('payee')), bytes('spend'))
  assert.deepEqual(own.token.subarray(2, 34), new SigningKey(own.seed).publicKey)
  const signed = concatBytes([bytes('payee'), Uint8Array.of(0, 0, 0x4e, 0x20), own.token])
  assert.ok(verifySignature('receipt', signed, bytes('spend').subarray(354), own.token.subarray(2, 34)))
})
