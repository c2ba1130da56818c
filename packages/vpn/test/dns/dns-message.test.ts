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
import { answers, readQuestion, readRecords, u16 } from '../../src/dns/dns-message.ts'
import { type DnsQuery, forwardedQuery, readQuery, udpLimit } from '../../src/dns/dns-query.ts'
import { localAnswer } from '../../src/dns/local-names.ts'
import { MessageFramer, framed } from '../../src/dns/message-framer.ts'
import { namesPrivateAddress } from '../../src/dns/private-addresses.ts'
import { type Zone, type ZoneRecord, a, answerFrom, queryFor, txt, wireName } from './name-server.ts'

const EDNS = { size: 4096 }

function queryOf(bytes: Uint8Array): DnsQuery {
  const query = readQuery(bytes)
  assert.ok(query !== undefined && !('rcode' in query))
  return query
}

function answered(records: readonly ZoneRecord[], type: number, query = queryFor('Www.Example.test', type, 7, EDNS)) {
  const zone: Zone = new Map([['www.example.test', records]])
  const answer = readAnswer(answerFrom(zone, query) ?? assert.fail())
  return { query: queryOf(query), answer: answer ?? assert.fail() }
}

const label = fc.stringMatching(/^[A-Za-z0-9_-]{1,63}$/)
const name = fc.array(label, { maxLength: 4 }).map((labels) => labels.join('.'))

test('a question is read as it was asked, whatever the case of its letters', () => {
  fc.assert(
    fc.property(name, fc.nat(65_535), fc.nat(65_535), (asked, type, id) => {
      const query = queryFor(asked, type, id)
      const question = readQuestion(query)
      if (wireName(asked).length > 255) return assert.equal(question, undefined)
      assert.equal(question?.name, wireName(asked.toLowerCase()).toString('latin1'))
      assert.deepEqual([question?.type, question?.end], [type, query.length])
    }),
  )
})

test('what goes on to the exit is the question with another id, and nothing else of the program', () => {
  const said = Buffer.concat([
    queryFor('example.test', 16, 7),
    Uint8Array.of(0, 0, 41, 16, 0, 0, 0, 0x80, 0, 0, 12, 0, 8, 0, 8, 0, 1, 24, 0, 192, 0, 2, 0),
  ])
  said[11] = 1
  const forwarded = forwardedQuery(queryOf(said), 0xabcd)
  assert.deepEqual(
    Buffer.from(forwarded),
    Buffer.concat([queryFor('example.test', 16, 0xabcd, { size: 1232, dnssecOk: true })]),
  )
  assert.ok(!Buffer.from(forwarded).includes(Uint8Array.of(192, 0, 2)), 'no client subnet (RFC 7871)')
})

test('an answer is one to the query of its id and question only', () => {
  const query = queryFor('A.test', 1, 7)
  const zone: Zone = new Map([['a.test', [a('192.0.2.1')]]])
  const answer = (name: string, type: number, id: number): Uint8Array =>
    answerFrom(zone, queryFor(name, type, id)) ?? assert.fail()
  assert.equal(answers(query, answer('a.test', 1, 7)), true)
  for (const wrong of [
    answer('a.test', 1, 8),
    answer('b.test', 1, 7),
    answer('a.test', 28, 7),
    query,
    new Uint8Array(3),
  ])
    assert.equal(answers(query, wrong), false)
})

for (const [what, bytes, rcode] of [
  ['an answer', Uint8Array.of(0, 1, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0), undefined],
  ['less than a header', new Uint8Array(11), undefined],
  ['NOTIFY', Uint8Array.of(0, 1, 0x20, 0, 0, 1, 0, 0, 0, 0, 0, 0), 4],
  ['no question', Uint8Array.of(0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0), 1],
  ['a compressed question', Uint8Array.of(0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1), 1],
  ['a record that ends early', Buffer.concat([queryFor('a.test', 1, 1, EDNS)]).subarray(0, -1), 1],
  ['a zone transfer', queryFor('a.test', 252, 1), 5],
  ['another class', Buffer.concat([queryFor('a.test', 1, 1).subarray(0, -1), Uint8Array.of(3)]), 5],
  [
    'EDNS of version 1',
    Buffer.concat([queryFor('a.test', 1, 1, EDNS).subarray(0, -5), Uint8Array.of(1, 0, 0, 0, 0)]),
    16,
  ],
] as const)
  test(`no query: ${what}`, () => {
    const read = readQuery(bytes)
    if (rcode === undefined) return assert.equal(read, undefined)
    assert.deepEqual(read, { bytes, rcode })
    const refusal = refusalOf(bytes, rcode)
    assert.equal(u16(refusal, 2) & 0x800f, 0x8000 | (rcode & 15))
    assert.notEqual(readRecords(refusal, 12), undefined)
  })

test('an answer goes on with the id and spelling of the program, younger by its age, and no claim that it was checked', () => {
  const { query, answer } = answered([a('192.0.2.1', 60), a('192.0.2.2', 30)], 1)
  const bytes = answerTo(query, answer, 20)
  assert.equal(u16(bytes, 0), 7)
  assert.equal(u16(bytes, 2), 0x8180, 'QR, RD, RA; not AD')
  assert.ok(Buffer.from(bytes).includes('Example'))
  const again = readAnswer(bytes) ?? assert.fail()
  assert.deepEqual(
    again.records.map(({ ttl }) => ttl),
    [40, 10],
  )
  assert.deepEqual(again.options?.udpSize, 1232)
  const plain = answerTo(queryOf(queryFor('www.example.test', 1, 8)), answer, 0)
  assert.equal(readAnswer(plain)?.options, undefined, 'no EDNS to a program without it')
})

test('what is kept is kept for the least TTL, what there is not for that of the SOA, and a failure not at all', () => {
  assert.equal(lifetimeOf(answered([a('192.0.2.1', 60), a('192.0.2.2', 30)], 1).answer), 30)
  assert.equal(lifetimeOf(answered([a('192.0.2.1', 2 ** 31)], 1).answer), 0, 'RFC 2181, section 8')
  assert.equal(lifetimeOf(answered([a('192.0.2.1')], 28).answer), 7)
  const nobody = readAnswer(answerFrom(new Map(), queryFor('nobody.test', 1, 1)) ?? assert.fail()) ?? assert.fail()
  assert.deepEqual([nobody.rcode, lifetimeOf(nobody)], [3, 7])
  const failing = answerFrom(new Map([['a.test', 'failing']]), queryFor('a.test', 1, 1)) ?? assert.fail()
  assert.equal(lifetimeOf(readAnswer(failing) ?? assert.fail()), 0)
})

test('an answer that is too long is cut to none, marked, for UDP', () => {
  const { query, answer } = answered([txt('x'.repeat(3000))], 16)
  const bytes = answerTo(query, answer, 0)
  assert.ok(bytes.length > 3000)
  assert.equal(udpLimit(query), 1232)
  assert.equal(udpLimit(queryOf(queryFor('a', 1, 1))), 512)
  const cut = cutTo(query, bytes, 1232)
  assert.ok(cut.length < 100)
  assert.equal(u16(cut, 2) & 0x200, 0x200)
  assert.deepEqual(readAnswer(cut)?.records, [])
  assert.equal(cutTo(query, bytes, 65_535), bytes)
})

test('an extended error is carried on, as ASCII', () => {
  const query = queryOf(queryFor('a.test', 1, 1, EDNS))
  const bytes = bareAnswer(query, 2, { code: 23, text: 'E_ROUTE_NONE: there is none\n' })
  assert.deepEqual(extendedErrorOf(readAnswer(bytes) ?? assert.fail()), {
    code: 23,
    text: 'E_ROUTE_NONE: there is none?',
  })
  assert.equal(extendedErrorOf(readAnswer(bareAnswer(query, 2)) ?? assert.fail()), undefined)
})

const hint = (key: number, data: readonly number[]): number[] => [0, key, 0, data.length, ...data]
const https = (...params: number[]): ZoneRecord => ({ type: 65, ttl: 1, data: Uint8Array.of(0, 1, 0, ...params) })
for (const [what, record, isPrivate] of [
  ['a public address', a('192.0.2.1'), false],
  ['10.0.0.1', a('10.0.0.1'), true],
  ['127.0.0.1', a('127.0.0.1'), true],
  ['169.254.169.254', a('169.254.169.254'), true],
  ['0.0.0.0', a('0.0.0.0'), true],
  ['a public IPv6 address', a('2606:4700::1'), false],
  ['::1', a('::1'), true],
  ['fd00::1', a('fd00::1'), true],
  ['an IPv4-mapped address', a('::ffff:10.0.0.1'), true],
  ['NAT64', a('64:ff9b::a00:1'), true],
  ['an address of three bytes', { type: 1, ttl: 1, data: new Uint8Array(3) }, true],
  ['text', txt('10.0.0.1'), false],
  ['HTTPS without hints', https(), false],
  ['HTTPS with public hints', https(...hint(1, [2, 0x68, 0x32]), ...hint(4, [192, 0, 2, 1, 192, 0, 2, 2])), false],
  ['HTTPS with a private hint', https(...hint(4, [192, 0, 2, 1, 10, 0, 0, 1])), true],
  ['HTTPS with a private IPv6 hint', https(...hint(6, [0xfd, ...new Uint8Array(15)])), true],
  ['HTTPS with half a hint', https(...hint(4, [192, 0, 2])), true],
  ['HTTPS that ends early', https(0, 4, 0, 9), true],
] as const)
  test(`${what} ${isPrivate ? 'leads inside' : 'does not lead inside'}`, () => {
    const { answer } = answered([record], record.type)
    assert.equal(answer.records.length, 1)
    assert.equal(namesPrivateAddress(answer.bytes, answer.records), isPrivate)
  })

test('names of this machine and network are answered here, and no others', () => {
  const told = (asked: string, type: number): string => {
    const bytes = localAnswer(queryOf(queryFor(asked, type, 1, EDNS)))
    if (bytes === undefined) return 'asked for'
    const answer = readAnswer(bytes) ?? assert.fail()
    return `${answer.rcode} ${answer.records.map(({ dataAt, end }) => Buffer.from(bytes.subarray(dataAt, end)).toString('hex')).join()}`
  }
  assert.equal(told('localhost', 1), '0 7f000001')
  assert.equal(told('A.LOCALHOST', 28), `0 ${'0'.repeat(31)}1`)
  assert.equal(told('localhost', 16), '0 ')
  for (const here of [
    'printer.local',
    'abc.onion',
    'x.invalid',
    'a.home.arpa',
    'db.corp',
    'nas.lan',
    'vault.internal',
    '1.1.168.192.in-addr.arpa',
    '4.20.172.in-addr.arpa',
    '1.0.0.127.in-addr.arpa',
    '1.99.100.in-addr.arpa',
    `1${'.0'.repeat(31)}.ip6.arpa`,
    '1.d.f.ip6.arpa',
    '0.0.8.e.f.ip6.arpa',
  ])
    assert.equal(told(here, 12), '3 ', here)
  for (const there of [
    'example.test',
    'onion',
    'local.test',
    'notlocal',
    '8.8.8.8.in-addr.arpa',
    '1.32.172.in-addr.arpa',
    '1.1.2.ip6.arpa',
    '',
  ])
    if (there !== 'onion') assert.equal(told(there, 12), 'asked for', there)
})

test('messages are cut from a stream as they were framed, however it is cut, and a long one ends it', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 10 }),
      fc.array(fc.integer({ min: 1, max: 50 })),
      (messages, cuts) => {
        const got: Uint8Array[] = []
        const framer = new MessageFramer(300, (message) => void got.push(message))
        const all = Buffer.concat(messages.map(framed))
        let at = 0
        for (const cut of [...cuts, all.length]) {
          assert.ok(framer.push(all.subarray(at, at + cut)))
          at += cut
        }
        assert.deepEqual(
          got.map((message) => [...message]),
          messages.map((message) => [...message]),
        )
        assert.equal(framer.push(Uint8Array.of(1, 45)), false)
      },
    ),
  )
})
