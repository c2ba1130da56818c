import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fromHex, toHex } from '@weft/core'
import { sha256 } from '@weft/crypto'
import {
  LookupClosestRequestSchema,
  LookupClosestResponseSchema,
  create,
  decodeMessage,
  encodeMessage,
} from '@weft/wire'
import { answerClosest } from '../../src/lookup/answer-closest.ts'
import { readClosest } from '../../src/lookup/read-closest.ts'
import { atOnce } from '../../src/map/in-slices.ts'
import { verifyEntries } from '../../src/map/map-entries.ts'
import type { Member } from '../../src/member.ts'
import { NO_BEACON } from '../fixtures.ts'

interface Vectors {
  readonly network: string
  readonly root: string
  readonly entries: readonly string[]
  readonly cases: readonly {
    readonly what: string
    readonly target: string
    readonly known: readonly number[]
    readonly positions: readonly number[]
    readonly told: readonly number[]
    readonly proof: string
    readonly request: string
    readonly responseHash: string
  }[]
}

const vectors = JSON.parse(readFileSync(new URL('../vectors/lookup.json', import.meta.url), 'utf8')) as Vectors
const entries = vectors.entries.map(fromHex)
const body = {
  network: vectors.network,
  epoch: 1,
  root: fromHex(vectors.root),
  count: entries.length,
  signedAt: 0,
  ...NO_BEACON,
}
const list = atOnce(verifyEntries(body, entries, undefined))

for (const { what, target, known, positions, told, proof, request, responseHash } of vectors.cases) {
  test(`lookup.json: ${what}`, () => {
    const asked = decodeMessage(LookupClosestRequestSchema, fromHex(request), 1024)
    assert.deepEqual([toHex(asked.target), toHex(asked.root), asked.known], [target, vectors.root, known])
    const answer = answerClosest(list, asked)
    assert.deepEqual(answer.positions, positions)
    assert.deepEqual(
      answer.entries,
      told.map((at) => entries[at]),
    )
    assert.equal(toHex(answer.proof), proof)
    const response = create(LookupClosestResponseSchema, {
      positions: [...positions],
      entries: told.map((at) => entries[at] as Uint8Array),
      proof: fromHex(proof),
    })
    assert.equal(toHex(sha256(encodeMessage(LookupClosestResponseSchema, response))), responseHash)
    const members = new Map<number, Member>(known.map((at) => [at, list.members[at] as Member]))
    const read = readClosest(body, { target: fromHex(target), known }, answer, members)
    assert.deepEqual(
      read,
      positions.map((at) => list.members[at]),
    )
  })
}
