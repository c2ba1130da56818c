import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import { readAnswer, extendedErrorOf } from '../../src/dns/dns-answer.ts'
import { EDE } from '../../src/dns/dns-codes.ts'
import { DnsAnswers } from '../../src/engine/dns-answers.ts'
import { type Known, a, answerFrom, queryFor } from '../dns/name-server.ts'

const ZONE = new Map<string, Known>([
  ['www.test', [a('192.0.2.1')]],
  ['inside.test', [a('10.0.0.1')]],
  ['six.test', [a('fd00::1')]],
  ['half.test', [a('192.0.2.1'), a('127.0.0.1')]],
])

/** Answers of an exit that passes on whatever its name server says. */
function careless(exitSays: (query: Uint8Array) => Uint8Array | undefined = (query) => answerFrom(ZONE, query)) {
  const answers = new DnsAnswers({
    clock: new VirtualClock(),
    ask: (make) => Promise.resolve(exitSays(make(7)) ?? assert.fail()),
  })
  return async (name: string, type = 1) => {
    const { bytes } = (await answers.answer(queryFor(name, type, 9, { size: 1_232 }))) ?? assert.fail()
    return readAnswer(bytes) ?? assert.fail()
  }
}

test('a private address is kept from programs, though an exit let it through', async () => {
  const find = careless()
  assert.equal((await find('www.test')).records.length, 1)
  for (const [name, type] of [
    ['inside.test', 1],
    ['six.test', 28],
    ['half.test', 1],
  ] as const)
    // Twice: what is kept from the first answer is no way round it.
    for (let round = 0; round < 2; round++) {
      const answer = await find(name, type)
      assert.deepEqual([answer.rcode, answer.records, extendedErrorOf(answer)?.code], [0, [], EDE.blocked], name)
    }
})

test("an exit's answer to another question is none", async () => {
  const find = careless(() => answerFrom(ZONE, queryFor('www.test', 1, 7)))
  assert.equal((await find('www.test')).rcode, 0)
  const other = await find('other.test')
  assert.deepEqual([other.rcode, other.records, extendedErrorOf(other)?.code], [2, [], EDE.other])
})

test('when other routes are in use nothing is answered with what was asked over those before, what was under way then included', async () => {
  /** Of the exit in use: one address of the name for each, as one that marks its clients has. */
  let exit = 1
  const asked: number[] = []
  const held: (() => void)[] = []
  const answers = new DnsAnswers({
    clock: new VirtualClock(),
    ask: (make) => {
      const query = make(7)
      asked.push(exit)
      const zone = new Map<string, Known>([['www.test', [a(`192.0.2.${exit}`, 86_400)]]])
      const { promise, resolve } = Promise.withResolvers<Uint8Array>()
      held.push(() => resolve(answerFrom(zone, query) ?? assert.fail()))
      return promise
    },
  })
  const find = async (): Promise<number | undefined> => {
    const { bytes } = (await answers.answer(queryFor('www.test', 1, 9))) ?? assert.fail()
    return readAnswer(bytes)?.bytes.at(-1)
  }
  const first = find()
  answers.moved()
  exit = 2
  const second = find()
  for (const answer of held) answer()
  assert.deepEqual([await first, await second], [1, 2])
  assert.equal(await find(), 2)
  answers.moved()
  exit = 3
  const third = find()
  held.at(-1)?.()
  assert.equal(await third, 3)
  assert.deepEqual(asked, [1, 2, 3])
})

test('programs are told to keep an answer for a minute at most, whatever its exit says', async () => {
  const clock = new VirtualClock()
  const ttls = new Map([
    ['long.test', 86_400],
    ['short.test', 30],
  ])
  const zone = new Map<string, Known>([...ttls].map(([name, ttl]) => [name, [a('192.0.2.1', ttl)]]))
  let asked = 0
  const answers = new DnsAnswers({
    clock,
    ask: (make) => Promise.resolve(answerFrom(zone, make(++asked)) ?? assert.fail()),
  })
  const ttl = async (name: string): Promise<number | undefined> => {
    const { bytes } = (await answers.answer(queryFor(name, 1, 9))) ?? assert.fail()
    return readAnswer(bytes)?.records[0]?.ttl
  }
  assert.deepEqual([await ttl('long.test'), await ttl('short.test')], [60, 30])
  await clock.advance(20_000)
  assert.deepEqual([await ttl('long.test'), await ttl('short.test')], [60, 10])
  assert.equal(asked, 2)
})
