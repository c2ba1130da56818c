import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WeftError, seededRandom, shuffled } from '@weft/core'
import { AuditNetwork } from './audit-network.ts'

test('a clock that jumps, and nodes whose maps come late, cost no honest holder anything', async () => {
  await using network = await AuditNetwork.of(9)
  for (let seed = 0; seed < 3; seed++) await network.put(seed, 20_000)
  const random = seededRandom(3)
  for (let round = 0; round < 3; round++) {
    const epoch = await network.epoch((map) => {
      for (const node of network.nodes.values()) node.lag = map > 3 && random.bytes(1)[0]! < 100 ? 1 : 0
    })
    for (const holder of network.holders) {
      assert.deepEqual(network.verdicts(holder, epoch), ['kept', 'kept', 'kept'])
    }
    // All clocks by 25 days, less than the leases have left.
    if (round === 1) await network.clock.advance(25 * 86_400_000)
  }
})

test('records that cannot be read for a while make no holder silent', async () => {
  await using network = await AuditNetwork.of(9)
  await network.put(1, 20_000)
  const read = network.records.getMutable.bind(network.records)
  const unavailable = new WeftError({ code: 'E_RECORD_UNAVAILABLE', cause: 'test', fix: 'none', retryable: true })
  let failures = 0
  const epoch = await network.epoch((map) => {
    network.records.getMutable = (...given) => (map < 10 ? (failures++, Promise.reject(unavailable)) : read(...given))
  })
  assert.ok(failures > 0)
  for (const holder of network.holders) {
    assert.deepEqual(network.verdicts(holder, epoch), ['kept', 'kept', 'kept'])
  }
})

test('answers that were changed on the way, or are none, are silence and no evidence', async () => {
  await using network = await AuditNetwork.of(9)
  await network.put(1, 20_000)
  const random = seededRandom(9)
  for (const holder of network.holders) {
    holder.behaves = async (method, _request, honest) => {
      const said = await honest()
      if (method === 'audit.receipt' || !('body' in said)) return said
      const { body, signature } = said as { body: Uint8Array; signature: Uint8Array }
      const changed = new Uint8Array(body)
      const at = random.bytes(2)
      changed[(at[0]! * 256 + at[1]!) % changed.length]! ^= 1 + (at[0]! & 127)
      const [one] = shuffled(random, [changed, body.slice(1), new Uint8Array(0), random.bytes(300)])
      return { body: one!, signature }
    }
  }
  const epoch = await network.epoch()
  for (const holder of network.holders) {
    assert.deepEqual(network.verdicts(holder, epoch), ['silent', 'silent', 'silent'])
  }
})

test('an answer of a question before, or to another auditor, is no answer', async () => {
  await using network = await AuditNetwork.of(9)
  await network.put(1, 20_000)
  const [replayer] = network.holders
  let first: object | undefined
  replayer!.behaves = async (method, _request, honest) => {
    const said = await honest()
    return method === 'audit.answer' ? (first ??= said) : said
  }
  const epoch = await network.epoch()
  // The auditor that asked first got what it asked for.
  assert.deepEqual(network.verdicts(replayer!, epoch), ['kept', 'silent', 'silent'])
})
