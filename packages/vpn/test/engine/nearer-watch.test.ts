import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NearerWatch } from '../../src/engine/nearer-watch.ts'
import type { PathSet } from '../../src/engine/path-set.ts'

const at = (latencyMs: number | undefined): PathSet => ({ latencyMs }) as PathSet

test('one is told that has been much nearer for four looks in a row', () => {
  const watch = new NearerWatch()
  const [used, near] = [at(100), at(50)]
  const looks = (others: readonly PathSet[], times: number): (PathSet | undefined)[] =>
    Array.from({ length: times }, () => watch.look(used, others))
  assert.deepEqual(looks([near], 3), [undefined, undefined, undefined])
  // Of a moment in between it begins anew.
  assert.deepEqual(looks([at(90)], 1), [undefined])
  assert.deepEqual(looks([near], 4), [undefined, undefined, undefined, near])
  assert.deepEqual(looks([near], 1), [undefined])
})

test('one that is little nearer, in part or in ms, and one of which it is not known, is none', () => {
  for (const [used, other] of [
    [100, 61],
    [40, 21],
    [100, undefined],
    [undefined, 1],
  ]) {
    const watch = new NearerWatch()
    for (let look = 0; look < 8; look++) assert.equal(watch.look(at(used), [at(other)]), undefined)
  }
})
