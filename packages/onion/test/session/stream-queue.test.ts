import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { StreamQueue } from '../../src/session/stream-queue.ts'

test('a queue has each once, in the order in which they came, whatever is taken out of it', () => {
  const step = fc.record({ what: fc.constantFrom('add', 'shift', 'remove', 'rotate'), item: fc.nat(40) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const queue = new StreamQueue<number>()
      let model: number[] = []
      for (const { what, item } of steps) {
        if (what === 'add') {
          queue.add(item)
          if (!model.includes(item)) model.push(item)
        } else if (what === 'shift') assert.equal(queue.shift(), model.shift())
        else if (what === 'remove') {
          queue.remove(item)
          model = model.filter((one) => one !== item)
        } else {
          queue.rotate()
          model.push(...model.splice(0, 1))
        }
        assert.equal(queue.size, model.length)
        assert.equal(queue.first, model[0])
      }
      assert.deepEqual(
        model.map(() => queue.shift()),
        model,
      )
    }),
  )
})
