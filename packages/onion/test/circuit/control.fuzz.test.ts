import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomInt, seededRandom } from '@weft/core'
import { readControl, writeControl } from '../../src/circuit/control.ts'
import { UnitKind } from '../../src/circuit/layer.ts'
import { TIERS } from '../../src/shaping/tier.ts'
import { FakeNetwork } from './fake-network.ts'
import { HandMadeClient } from './hand-made-ends.ts'

const SECONDS = Number(process.env['WEFT_FUZZ_SECONDS'] ?? 3)

test('fuzz: control messages of any bytes are read as one of the known ones or as none, and mean what they say', (t) => {
  const seed = Math.floor(performance.timeOrigin)
  const random = seededRandom(seed)
  const end = performance.now() + (SECONDS * 1_000) / 2
  let runs = 0
  for (; performance.now() < end; runs++) {
    const content = random.bytes(randomInt(random, 60))
    if (content.length > 0 && runs % 4 !== 0) content[0] = randomInt(random, 14)
    const read = readControl(content)
    if (read === undefined) continue
    if (read.kind === 'tier' || read.kind === 'tiered') assert.ok(TIERS.includes(read.tier))
    const again = new Uint8Array(1_304)
    writeControl(again, read)
    assert.deepEqual(readControl(again), read)
  }
  t.diagnostic(`${runs} runs of seed ${seed}`)
  assert.ok(runs > 0)
})

test('fuzz: units of any kind and content under true keys: a hop throws at nothing, and pads within its budget', async (t) => {
  const seed = Math.floor(performance.timeOrigin)
  const random = seededRandom(seed)
  const end = performance.now() + (SECONDS * 1_000) / 2
  let runs = 0
  for (; performance.now() < end; runs++) {
    const network = new FakeNetwork('abc')
    const client = new HandMadeClient(network, 'a', 'b')
    for (let units = 0; units < 100 && !client.isEnded; units++) {
      const content = random.bytes(20)
      // Often what is known, so that the circuit lasts.
      if (units % 50 !== 49) content[0] = 4 + 3 * randomInt(random, 2)
      if (content[0] === 7 && units % 50 !== 48) content[1] = randomInt(random, 3)
      client.send(randomInt(random, 5) === 0 ? randomInt(random, 256) : randomInt(random, 4), content)
      await network.pass(randomInt(random, 20), client.take, 5)
    }
    const { circuits } = network.node('b')
    assert.equal(circuits.size, client.isEnded ? 0 : 1)
    const padding = client.units.filter(({ kind }) => kind === UnitKind.padding).length
    assert.ok(padding <= 1_024 + 130 * 2, `${padding}`)
  }
  t.diagnostic(`${runs} runs of seed ${seed}`)
})
