import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  answerTo,
  bareAnswer,
  cutTo,
  extendedErrorOf,
  lifetimeOf,
  readAnswer,
  refusalOf,
} from '../../src/dns/dns-answer.ts'
import { answers } from '../../src/dns/dns-message.ts'
import { forwardedQuery, readQuery, udpLimit } from '../../src/dns/dns-query.ts'
import { localAnswer } from '../../src/dns/local-names.ts'
import { namesPrivateAddress } from '../../src/dns/private-addresses.ts'
import { a, answerFrom, queryFor, txt } from './name-server.ts'

const SECONDS = Number(process.env['WEFT_FUZZ_SECONDS'] ?? 3)
const EDNS = { size: 4096 }

test('fuzz: any DNS message is read within its end, or refused', () => {
  const whole =
    answerFrom(new Map([['a.test', [a('192.0.2.1'), txt('hello')]]]), queryFor('a.test', 1, 1, EDNS)) ?? assert.fail()
  const mutated = fc
    .tuple(
      fc.constantFrom(whole, queryFor('a.test', 65, 1, EDNS)),
      fc.array(fc.tuple(fc.nat(80), fc.nat(255)), { maxLength: 6 }),
      fc.nat(90),
    )
    .map(([bytes, changes, length]) => {
      const copy = Buffer.from(bytes)
      for (const [at, value] of changes) if (at < copy.length) copy[at] = value
      return copy.subarray(0, length)
    })
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 120 }), mutated), (bytes) => {
      answers(whole, bytes)
      const answer = readAnswer(bytes)
      if (answer !== undefined) {
        for (const { at, dataAt, end } of answer.records) assert.ok(at < dataAt && dataAt <= end && end <= bytes.length)
        namesPrivateAddress(bytes, answer.records)
        assert.ok(lifetimeOf(answer) >= 0)
        extendedErrorOf(answer)
      }
      const query = readQuery(bytes)
      if (query === undefined) return
      if ('rcode' in query) return assert.ok(refusalOf(bytes, query.rcode).length >= 12)
      forwardedQuery(query, 1)
      localAnswer(query)
      const own = bareAnswer(query, 2, { code: 23, text: 'x' })
      assert.notEqual(readAnswer(own), undefined)
      assert.ok(cutTo(query, own, udpLimit(query)).length <= 512)
      if (answer !== undefined) readAnswer(answerTo(query, answer, 5))
    }),
    { numRuns: Infinity, plugins: [fc.interruptAfterTimeLimit(SECONDS * 1_000)] },
  )
})
