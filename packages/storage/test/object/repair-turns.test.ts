import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { VirtualClock, silentLogger, systemRandom } from '@weft/core'
import { type DidKey, SigningKey } from '@weft/crypto'
import type { ObjectContext } from '../../src/object/object-context.ts'
import { ObjectIndex } from '../../src/object/object-index.ts'
import { Repairs } from '../../src/object/repairs.ts'
import { MemoryNetwork } from '../support/memory-network.ts'

const OBJECTS = 300

/** Counts the rows that are opened in one turn of the event loop. */
class CountedIndex extends ObjectIndex {
  opened = 0
  mostInTurn = 0
  #inTurn = 0

  override holdersOf(object: string): readonly DidKey[] | undefined {
    if (this.#inTurn === 0) setImmediate(() => (this.#inTurn = 0))
    this.mostInTurn = Math.max(this.mostInTurn, ++this.#inTurn)
    this.opened++
    return super.holdersOf(object)
  }
}

function world(directory: string) {
  const network = new MemoryNetwork(9)
  const clock = new VirtualClock(Date.now())
  const index = new CountedIndex(directory, SigningKey.generate(), systemRandom)
  const holders = network.holders.map(({ id }) => id)
  for (let at = 0; at < OBJECTS; at++) {
    const times = { createdAt: clock.now(), expiresAt: clock.now() + 86_400_000 }
    const object = { object: `object ${at}`, ref: 'unread', name: '', size: 10_000, class: 'tiny', private: false }
    index.add({ ...object, ...times }, systemRandom.bytes(32), holders)
  }
  const closing = new AbortController()
  // All that is needed to find that nothing is due.
  const context = { overlay: network.overlay(), clock, signal: closing.signal, logger: silentLogger }
  const repairs = new Repairs({ context: context as unknown as ObjectContext, index, graceMs: 1 })
  return { clock, index, repairs, closing }
}

test('a look at many own objects lets others have their turn, sees each, and ends with the storage', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'weft-repairs-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const { clock, index, repairs, closing } = world(directory)
  using _ = index
  const opened = (): number => index.opened
  await clock.advance(600_000)
  while (repairs.counts.running) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(opened(), OBJECTS)
  assert.ok(index.mostInTurn <= 32, `${index.mostInTurn} in one turn`)
  // In the middle of the next look.
  const advanced = clock.advance(600_000)
  while (opened() === OBJECTS) await new Promise((resolve) => setImmediate(resolve))
  closing.abort()
  await Promise.all([advanced, repairs.settled()])
  assert.ok(opened() < 2 * OBJECTS, `${opened()} opened`)
})
