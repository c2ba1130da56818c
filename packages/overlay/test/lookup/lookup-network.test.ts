import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomInt, seededRandom } from '@weft/core'
import { type Conduct, CONDUCTS, LookupNetwork } from './lookup-network.ts'

const SEED = 20_261_121
const MEMBERS = 10_000
const LOOKUPS = 30

test('10,000 members of which a quarter lies, each in its own way: every lookup gives what the whole map gives', async () => {
  const conduct = (random: Parameters<typeof randomInt>[0]): Conduct =>
    CONDUCTS[randomInt(random, CONDUCTS.length)] as Conduct
  const network = new LookupNetwork({ seed: SEED, members: MEMBERS, hostile: 0.25, conduct })
  const random = seededRandom(SEED)
  for (let at = 0; at < LOOKUPS; at++) {
    const { result, isRight, questions, ms } = await network.find(random.bytes(32))
    assert.ok(isRight, `lookup ${at} of seed ${SEED}`)
    assert.equal(result.doubtful, false)
    assert.ok(result.differing.every((id) => network.isHostile(id)))
    assert.ok(questions <= 64 && ms <= 20_000)
  }
})

test('a quarter that names its own only, with places chosen near the targets: every lookup is right', async () => {
  const random = seededRandom(SEED + 1)
  const targets = Array.from({ length: LOOKUPS }, () => random.bytes(32))
  const ground = { targets, draws: 4 }
  const network = new LookupNetwork({ seed: SEED + 1, members: MEMBERS, hostile: 0.25, ground })
  let near = 0
  for (const target of targets) {
    const { result, isRight } = await network.find(target)
    assert.ok(isRight)
    near += result.members.filter(({ id }) => network.isHostile(id)).length / result.members.length
  }
  assert.ok(near / LOOKUPS > 0.4, 'the places were to be chosen')
})

test('one path alone is led astray by as many as lie', async () => {
  const network = new LookupNetwork({ seed: SEED + 2, members: 1_000, hostile: 0.33 })
  const random = seededRandom(SEED + 2)
  const found = []
  for (let at = 0; at < LOOKUPS; at++) found.push(await network.find(random.bytes(32), { contacts: 1 }))
  const wrong = found.filter(({ isRight }) => !isRight)
  assert.ok(wrong.length > LOOKUPS / 10, `${wrong.length} of ${LOOKUPS}`)
  // And it is told that it cannot be right in most of these cases.
  assert.ok(wrong.filter(({ result }) => result.doubtful).length > wrong.length / 2)
})
