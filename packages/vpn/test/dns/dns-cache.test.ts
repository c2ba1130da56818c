import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DnsAnswer, readAnswer } from '../../src/dns/dns-answer.ts'
import { DnsCache } from '../../src/dns/dns-cache.ts'
import { a, answerFrom, queryFor, txt } from './name-server.ts'

function answerOf(length: number): DnsAnswer {
  const zone = new Map([['a.test', [txt('x'.repeat(length)), a('192.0.2.1')]]])
  return readAnswer(answerFrom(zone, queryFor('a.test', 16, 1)) ?? assert.fail()) ?? assert.fail()
}

test('an answer is found until its time is over, with its age', () => {
  const cache = new DnsCache()
  const answer = answerOf(10)
  cache.keep('k', answer, 10, 1_000)
  assert.deepEqual(cache.find('k', 6_900), { answer, ageSeconds: 5 })
  assert.equal(cache.find('k', 11_000), undefined)
  assert.equal(cache.size, 0)
})

test('nothing is kept for longer than an hour, nor without a time', () => {
  const cache = new DnsCache()
  cache.keep('k', answerOf(10), 86_400, 0)
  assert.equal(cache.find('k', 3_600_000), undefined)
  cache.keep('k', answerOf(10), 0, 0)
  assert.equal(cache.size, 0)
})

test('entries and bytes are bounded; what was used longest ago goes first', () => {
  const cache = new DnsCache()
  const small = answerOf(10)
  for (let i = 0; i < 10_000; i++) {
    cache.keep(`k${i}`, small, 60, 0)
    cache.find('k0', 0)
  }
  assert.equal(cache.size, 4_096)
  assert.notEqual(cache.find('k0', 0), undefined)
  assert.equal(cache.find('k1', 0), undefined)
  const large = answerOf(60_000)
  for (let i = 0; i < 1_000; i++) cache.keep(`l${i}`, large, 60, 0)
  assert.ok(cache.size < 100)
})
