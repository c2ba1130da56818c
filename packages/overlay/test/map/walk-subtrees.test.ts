import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { WeftError } from '@weft/core'
import { METHODS, MapSubtreesResponseSchema, create, encodeMessage } from '@weft/wire'
import type { EntryList } from '../../src/map/entry-list.ts'
import { atOnce } from '../../src/map/in-slices.ts'
import { verifyEntries } from '../../src/map/map-entries.ts'
import {
  MAX_SUBTREES,
  type SubtreeAnswer,
  type SubtreeQuestion,
  answerSubtrees,
  pickEntries,
} from '../../src/map/subtree-question.ts'
import { type WalkedMap, walkSubtrees } from '../../src/map/walk-subtrees.ts'
import { codeOf, testNetwork } from '../fixtures.ts'
import { ManyEntries, mapBodyOf } from './many-entries.ts'

const { network } = testNetwork(1, 0)

function listOf(many: ManyEntries, known?: EntryList): EntryList {
  const entries = many.entries()
  return atOnce(verifyEntries(mapBodyOf(network, entries, 1), entries, known))
}

type Answer = (question: SubtreeQuestion, honest: () => SubtreeAnswer) => SubtreeAnswer

/** Walks the tree of `theirs` from `held`; counts questions and bytes. */
function walk(
  held: EntryList,
  theirs: EntryList,
  answer: Answer = (_, honest) => honest(),
): { readonly walked: WalkedMap; readonly questions: number; readonly bytes: number } {
  const { root, count } = theirs
  const walking = walkSubtrees(held, { root, count })
  let questions = 0
  let bytes = 0
  let step = walking.next()
  while (step.done !== true) {
    const question = step.value
    questions++
    assert.ok(questions < 10_000, 'it goes on for ever')
    const given = answer(question, () => answerSubtrees(theirs, question))
    bytes += given.hashes.length + given.starts.reduce((sum, start) => sum + start.length + 2, 0)
    step = walking.next(given)
  }
  return { walked: step.value, questions, bytes }
}

/** The list that comes out once what is missing was picked. */
function complete({ found, missing }: WalkedMap, theirs: EntryList): Uint8Array[] {
  const bytes = found.map((entry) => ('bytes' in entry ? entry.bytes : new Uint8Array()))
  pickEntries(theirs, missing).forEach((entry, at) => {
    bytes[missing[at] as number] = entry
  })
  return bytes
}

test('two lists with anything in common: exactly what is not held is found missing', () => {
  const amount = fc.nat({ max: 30 })
  const change = fc.record({ renewed: amount, left: amount, come: amount })
  fc.assert(
    fc.property(fc.integer({ min: 31, max: 700 }), change, fc.nat(), (count, what, seed) => {
      const many = new ManyEntries(network.id, count, seed)
      const held = listOf(many)
      many.change(what, 2)
      const theirs = listOf(many, held)
      const own = new Set(held.entries)
      const missing = theirs.entries.flatMap((entry, at) => (own.has(entry) ? [] : [at]))
      try {
        const { walked } = walk(held, theirs)
        assert.deepEqual(walked.missing, missing)
        assert.deepEqual(complete(walked, theirs), theirs.bytes())
      } catch (error) {
        // Too much of it changed to be worth it.
        assert.equal((error as WeftError).code, 'E_MAP_TOO_DIFFERENT')
        assert.ok(missing.length > theirs.count / 16, `${missing.length} of ${theirs.count}`)
      }
    }),
    { numRuns: 15 },
  )
})

test('a hundred of 3,000 entries cost four questions and a few percent of the map', () => {
  const many = new ManyEntries(network.id, 3_000)
  const held = listOf(many)
  many.change({ renewed: 20, left: 5, come: 5 }, 2)
  const theirs = listOf(many, held)
  const { walked, questions, bytes } = walk(held, theirs)
  assert.equal(walked.missing.length, 25)
  assert.ok(questions <= 4, `${questions} questions`)
  const whole = theirs.bytes().reduce((sum, { length }) => sum + length, 0)
  assert.ok(bytes < whole / 20, `${bytes} of ${whole} bytes`)
})

test('maps with nothing in common are not compared to the end', async () => {
  const held = listOf(new ManyEntries(network.id, 600, 1))
  const theirs = listOf(new ManyEntries(network.id, 600, 2))
  assert.equal(await codeOf(() => walk(held, theirs)), 'E_MAP_TOO_DIFFERENT')
})

test('whatever an answer says, it is refused or true: no lie is believed, none makes the walk go on', () => {
  const many = new ManyEntries(network.id, 400)
  const held = listOf(many)
  many.change({ renewed: 8, left: 3, come: 3 }, 2)
  const theirs = listOf(many, held)
  const bytes = fc.uint8Array({ maxLength: 40 })
  const lies: fc.Arbitrary<(answer: SubtreeAnswer) => SubtreeAnswer> = fc.oneof(
    fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })).map(([at, flip]) => (answer: SubtreeAnswer) => {
      const hashes = answer.hashes.slice()
      hashes[at % hashes.length] = (hashes[at % hashes.length] as number) ^ flip
      return { ...answer, hashes }
    }),
    fc
      .nat({ max: 200 })
      .map((less) => (answer: SubtreeAnswer) => ({ ...answer, hashes: answer.hashes.slice(less + 1) })),
    fc.constant((answer: SubtreeAnswer) => ({ ...answer, hashes: new Uint8Array(answer.hashes.length * 2) })),
    fc.constant((answer: SubtreeAnswer) => ({ ...answer, starts: [...answer.starts, new Uint8Array()] })),
    fc.constant((answer: SubtreeAnswer) => ({ ...answer, starts: answer.starts.toReversed() })),
    fc.tuple(fc.nat(), bytes).map(([at, start]) => (answer: SubtreeAnswer) => ({
      ...answer,
      starts: answer.starts.map((honest, index) => (index === at % Math.max(1, answer.starts.length) ? start : honest)),
    })),
  )
  fc.assert(
    fc.property(lies, fc.nat({ max: 3 }), (lie, when) => {
      let asked = 0
      try {
        const { walked } = walk(held, theirs, (_, honest) => (asked++ === when ? lie(honest()) : honest()))
        // A wrong bound only hides what is held.
        assert.deepEqual(complete(walked, theirs), theirs.bytes())
      } catch (error) {
        assert.ok(error instanceof WeftError, String(error))
        assert.ok(error.code === 'E_MAP_ENTRIES' || error.code === 'E_MAP_TOO_DIFFERENT', error.code)
      }
      assert.ok(asked < 100)
    }),
    { numRuns: 100 },
  )
})

test('a hash that does not belong to the signed tree is refused as soon as it comes, whichever it is', async () => {
  const many = new ManyEntries(network.id, 400)
  const held = listOf(many)
  many.change({ renewed: 8, left: 3, come: 3 }, 2)
  const theirs = listOf(many, held)
  const { questions } = walk(held, theirs)
  for (let when = 0; when < questions; when++) {
    let asked = 0
    const flip = (_: SubtreeQuestion, honest: () => SubtreeAnswer): SubtreeAnswer => {
      const answer = honest()
      const hashes = answer.hashes.slice()
      const at = (when * 997) % hashes.length
      if (asked++ === when) hashes[at] = (hashes[at] as number) ^ 1
      return { ...answer, hashes }
    }
    assert.equal(await codeOf(() => walk(held, theirs, flip)), 'E_MAP_ENTRIES')
    assert.equal(asked, when + 1)
  }
})

test('starts that do not ascend, or leave the range of the node that they are under, are refused', async () => {
  const many = new ManyEntries(network.id, 2_100)
  const held = listOf(many)
  many.change({ renewed: 8 }, 2)
  const theirs = listOf(many, held)
  const lies: { readonly at: number; readonly lie: (starts: readonly Uint8Array[]) => Uint8Array[] }[] = [
    { at: 0, lie: (starts) => starts.toReversed() },
    { at: 0, lie: (starts) => [Uint8Array.of(0), ...starts.slice(1)] },
    { at: 0, lie: (starts) => starts.map((start, which) => (which === 5 ? (starts[4] as Uint8Array) : start)) },
    { at: 1, lie: (starts) => [new Uint8Array(), ...starts.slice(1)] },
    { at: 1, lie: (starts) => starts.map((start, which) => (which === 7 ? new Uint8Array(32).fill(255) : start)) },
  ]
  for (const { at, lie } of lies) {
    let asked = 0
    const answer = (_: SubtreeQuestion, honest: () => SubtreeAnswer): SubtreeAnswer => {
      const { hashes, starts } = honest()
      return { hashes, starts: asked++ === at ? lie(starts) : starts }
    }
    assert.equal(await codeOf(() => walk(held, theirs, answer)), 'E_MAP_ENTRIES')
    assert.equal(asked, at + 1)
  }
})

test('maps of every small size are walked', () => {
  for (let count = 1; count <= 20; count++) {
    const many = new ManyEntries(network.id, count + 20)
    const held = listOf(many)
    many.change({ left: 20 }, 2)
    const theirs = listOf(many, held)
    assert.equal(theirs.count, count)
    // The only entry of a map is its root: there is nothing to ask, and nothing was compared.
    assert.deepEqual(walk(held, theirs).walked.missing, count === 1 ? [0] : [])
    assert.deepEqual(complete(walk(held, theirs).walked, theirs), theirs.bytes())
  }
})

test('a question for what is not there, or too much of it, is refused', async () => {
  const list = listOf(new ManyEntries(network.id, 300))
  const bad: SubtreeQuestion[] = [
    { level: 10, below: 0, nodes: [0] },
    { level: 2 ** 32 - 1, below: 0, nodes: [0] },
    { level: 3, below: 3, nodes: [0] },
    { level: 3, below: 4, nodes: [0] },
    { level: 3, below: 0, nodes: [38] },
    { level: 3, below: 0, nodes: [1, 1] },
    { level: 3, below: 0, nodes: [2, 1] },
    { level: 9, below: 0, nodes: Array.from({ length: MAX_SUBTREES }, (_, at) => at) },
  ]
  for (const question of bad) assert.equal(await codeOf(() => answerSubtrees(list, question)), 'E_MAP_QUESTION')
  for (const positions of [[300], [5, 5], [5, 4], Array.from({ length: 5_000 }, (_, at) => at)]) {
    assert.equal(await codeOf(() => pickEntries(list, positions)), 'E_MAP_QUESTION')
  }
  assert.deepEqual(pickEntries(list, []), [])
})

test('the largest answer and the largest question are within their limits', () => {
  const { maxRequest, maxResponse } = METHODS['map.subtrees']
  // Keys that differ in their last byte only make the longest bounds.
  const starts = Array.from({ length: MAX_SUBTREES }, () => new Uint8Array(32))
  const answer = create(MapSubtreesResponseSchema, { hashes: new Uint8Array(MAX_SUBTREES * 32), starts })
  assert.ok(encodeMessage(MapSubtreesResponseSchema, answer).length <= maxResponse)
  // Most nodes are named when each has eight below it: a tag and three bytes for each.
  assert.ok(34 + 12 + (MAX_SUBTREES / 8) * 4 <= maxRequest)
})
