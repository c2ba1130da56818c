import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '@weft/core'
import { SharedSessionNames, sessionNamesMemory } from '../../src/shared/shared-session-names.ts'

const random = seededRandom(1)
const secret = random.bytes(32)

test('each worker finds the sessions of all by their names until they are over', () => {
  const memory = sessionNamesMemory()
  const [one, two] = [new SharedSessionNames(memory, secret), new SharedSessionNames(memory, secret)]
  const name = random.bytes(32)
  assert.equal(two.find(name), undefined)
  one.add(name, 0)
  assert.equal(two.find(name), 0)
  assert.equal(two.find(random.bytes(32)), undefined)
  // Whoever says the name of another session changes nothing of it.
  two.add(name, 1)
  two.remove(name, 1)
  assert.equal(one.find(name), 0)
  one.remove(name, 0)
  assert.equal(two.find(name), undefined)
})

test('the names of 2,048 sessions of each of 16 workers have a place, nearly all, and leave none behind', () => {
  const names = new SharedSessionNames(sessionNamesMemory(), secret)
  const all = Array.from({ length: 16 * 2_048 }, () => random.bytes(32))
  for (const [at, name] of all.entries()) names.add(name, at % 16)
  const found = all.filter((name, at) => names.find(name) === at % 16).length
  assert.ok(found > 0.999 * all.length, `${found}`)
  for (const [at, name] of all.entries()) names.remove(name, at % 16)
  assert.equal(
    all.find((name) => names.find(name) !== undefined),
    undefined,
  )
})
