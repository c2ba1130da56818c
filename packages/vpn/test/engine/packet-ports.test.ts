import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sumCarried } from '../../src/service/sum-carried.ts'
import { openNode } from './open-node.ts'

const NO_PACKETS = ['unsegmented', 'carriageRefused', 'carriageMalformed'] as const

test('what befalls batches and connections is no dropped packet', async (t) => {
  const { engine } = await openNode(1, ['entry'])
  t.after(() => engine.close())
  const { carried } = engine.status()
  assert.ok(carried !== undefined)
  for (const name of NO_PACKETS) {
    assert.ok(!(name in carried.packetsDropped), name)
    assert.equal(carried.portEvents[name], 0)
  }
  assert.ok('carriageFull' in carried.packetsDropped && 'foreign' in carried.packetsDropped)
  const sum = sumCarried([carried, { ...carried, portEvents: { unsegmented: 2, carriageRefused: 3 } }])
  assert.deepEqual(sum?.portEvents, { unsegmented: 2, carriageRefused: 3, carriageMalformed: 0 })
})
