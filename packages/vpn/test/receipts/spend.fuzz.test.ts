import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concatBytes, randomInt, seededRandom } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import { ReceiptAnswer } from '@weft/onion'
import { PacketTill } from '../../src/receipts/packet-till.ts'
import { makeSpend } from '../../src/receipts/spend.ts'
import { IssuerFixture, NETWORK } from './issuer-fixture.ts'

const SECONDS = Number(process.env['WEFT_FUZZ_SECONDS'] ?? 3)

test('fuzz: whatever is made of good spends, a till and an issuer throw at nothing and take nothing', async (t) => {
  const seed = Math.floor(performance.timeOrigin)
  const random = seededRandom(seed)
  await using fixture = await IssuerFixture.open()
  const payee = SigningKey.generate()
  const [own, two] = await fixture.tokens(SigningKey.generate().id, 2)
  assert.ok(own && two)
  const good = [makeSpend(own, payee.publicKey), makeSpend(two, payee.publicKey)] as const
  const kept: unknown[] = []
  const till = new PacketTill({
    networkId: NETWORK,
    self: payee.publicKey,
    clock: fixture.clock,
    keep: (payment) => void kept.push(payment),
  })
  till.setKeys(await fixture.issuer.keys())
  /** A part of one, of the other or of neither behind each other, with bits changed, longer or shorter. */
  const broken = (): Uint8Array => {
    const cut = randomInt(random, 419)
    const joined = concatBytes([good[0].subarray(0, cut), good[1].subarray(cut)])
    const bytes = randomInt(random, 4) === 0 ? random.bytes(418) : joined
    for (let changes = randomInt(random, 4); changes >= 0; changes--)
      bytes[randomInt(random, 418)] = randomInt(random, 256)
    const isWhole = randomInt(random, 4) > 0
    return isWhole ? bytes : bytes.subarray(0, randomInt(random, 418))
  }
  const end = performance.now() + SECONDS * 1_000
  let runs = 0
  for (; performance.now() < end; runs++) {
    await fixture.clock.advance(10)
    const bytes = broken()
    if (good.some((one) => Buffer.compare(one, bytes) === 0)) continue
    const told: ReceiptAnswer[] = []
    till.take(bytes, 'C', (answer) => void told.push(answer))
    assert.equal(told.length, 1)
    assert.notEqual(told[0], ReceiptAnswer.taken)
    const answers = await fixture.issuer.redeem(payee.id, bytes).catch(({ code }: { readonly code: string }) => code)
    if (bytes.length === 418) assert.ok(typeof answers === 'object' && answers[0] !== ReceiptAnswer.taken)
    else assert.equal(answers, 'E_RECEIPT_REQUEST')
  }
  assert.equal(kept.length, 0)
  t.diagnostic(`${runs} runs of seed ${seed}`)
  assert.ok(runs > 0)
})
