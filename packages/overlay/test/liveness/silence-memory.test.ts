import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LOOK_AGAIN_MS, MAX_SILENCES } from '../../src/liveness/liveness-limits.ts'
import { SilenceMemory } from '../../src/liveness/silence-memory.ts'
import { testKeys } from '../fixtures.ts'

const suspicion = { payload: new Uint8Array(1), signer: new Uint8Array(32), signature: new Uint8Array(64) }

test('a silence serves those who ask soon, about the same life of the node, until it is heard; few are kept', () => {
  const ids = testKeys(MAX_SILENCES + 1).map(({ id }) => id) as [ReturnType<typeof testKeys>[0]['id']]
  const memory = new SilenceMemory()
  memory.put(ids[0], 7n, suspicion, 1_000)
  assert.equal(memory.get(ids[0], 7n, 1_000), suspicion)
  assert.equal(memory.get(ids[0], 6n, 999 + LOOK_AGAIN_MS), suspicion)
  assert.equal(memory.get(ids[0], 7n, 1_000 + LOOK_AGAIN_MS), undefined, 'a look is due')
  assert.equal(memory.get(ids[0], 8n, 1_000), undefined, 'it began anew')
  memory.forget(ids[0])
  assert.equal(memory.get(ids[0], 7n, 1_000), undefined)
  for (const id of ids) memory.put(id, 7n, suspicion, 1_000)
  assert.equal(ids.filter((id) => memory.get(id, 7n, 1_000) !== undefined).length, MAX_SILENCES)
  assert.equal(memory.get(ids[0], 7n, 1_000), undefined, 'the oldest')
})
