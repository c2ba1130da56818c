import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { toHex, utf8 } from '@weft/core'
import { sha256 } from '@weft/crypto'
import { LookupClosestRequestSchema, LookupClosestResponseSchema, create, encodeMessage } from '@weft/wire'
import { answerClosest } from '../../src/lookup/answer-closest.ts'
import { atOnce } from '../../src/map/in-slices.ts'
import { mapRoot, verifyEntries } from '../../src/map/map-entries.ts'
import { ManyEntries } from '../map/many-entries.ts'
import { NO_BEACON } from '../fixtures.ts'

/** Writes lookup.json: `node generate-lookup.ts`. */
const { network } = JSON.parse(readFileSync(join(import.meta.dirname, 'map.json'), 'utf8')) as { network: string }
const entries = new ManyEntries(network, 27, 7).entries()
const root = mapRoot(entries)
const body = { network, epoch: 1, root, count: entries.length, signedAt: 0, ...NO_BEACON }
const list = atOnce(verifyEntries(body, entries, undefined))

function caseOf(what: string, target: Uint8Array, known: readonly number[]) {
  const answer = answerClosest(list, { target, known })
  const response = create(LookupClosestResponseSchema, {
    positions: [...answer.positions],
    entries: [...answer.entries],
    proof: answer.proof,
  })
  return {
    what,
    target: toHex(target),
    known,
    positions: answer.positions,
    told: answer.positions.filter((at) => !known.includes(at)).toSorted((a, b) => a - b),
    proof: toHex(answer.proof),
    request: toHex(encodeMessage(LookupClosestRequestSchema, create(LookupClosestRequestSchema, { target, root, known: [...known] }))),
    responseHash: toHex(sha256(encodeMessage(LookupClosestResponseSchema, response))),
  }
}

const first = sha256(utf8('first'))
const all = answerClosest(list, { target: first, known: [] }).positions.toSorted((a, b) => a - b)
const text = JSON.stringify(
  {
    description:
      'Questions for the members closest to a target in a map of 27 entries, and their answers (docs/specs/lookup.md). Entries, keys, proofs and requests (protobuf LookupClosestRequest) are hex; `told` are the positions of the entries that come with the answer, and `responseHash` is SHA-256 over the answer (protobuf LookupClosestResponse).',
    network,
    root: toHex(root),
    entries: entries.map(toHex),
    cases: [
      caseOf('nothing is known', first, []),
      caseOf('some entries are known', first, all.slice(3, 17)),
      caseOf('all but one are known', first, all.slice(1)),
      caseOf('all are known', first, all),
      caseOf('another target', sha256(utf8('second')), all),
    ],
  },
  null,
  2,
)
writeFileSync(join(import.meta.dirname, 'lookup.json'), `${text}\n`)
