import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { ProxyStep } from '../../src/proxy/proxy-request.ts'
import { SocksParser, socksAssociated, socksReply, socksResolved } from '../../src/proxy/socks-parser.ts'

const GREETING = [5, 1, 0]
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)
const name = (text: string): number[] => [3, text.length, ...Buffer.from(text, 'latin1')]
const request = (address: number[], port = 443, command = 1): number[] => [
  5,
  command,
  0,
  ...address,
  port >> 8,
  port & 255,
]

function run(...parts: Uint8Array[]): ProxyStep[] {
  const parser = new SocksParser()
  return parts.flatMap((part) => parser.push(part))
}

describe('SOCKS5 requests', () => {
  test('CONNECT to a name, an IPv4 and an IPv6 address', () => {
    const hosts = [name('example.org'), [1, 192, 0, 2, 7], [4, 0x20, 1, 0xd, 0xb8, ...new Uint8Array(11), 1]].map(
      (address) => {
        const [, step] = run(bytes(...GREETING, ...request(address)))
        assert.equal(step?.kind, 'request')
        return step.kind === 'request' ? `${step.request.host} ${step.request.port}` : ''
      },
    )
    assert.deepEqual(hosts, ['example.org 443', '192.0.2.7 443', '2001:db8::1 443'])
  })

  test('user and password are answered and isolate', () => {
    const steps = run(bytes(5, 2, 0, 2, 1, 2, 97, 98, 1, 99, ...request(name('a.b'))))
    assert.deepEqual(steps.slice(0, 2), [
      { kind: 'answer', bytes: bytes(5, 2) },
      { kind: 'answer', bytes: bytes(1, 0) },
    ])
    assert.equal(steps[2]?.kind === 'request' && steps[2].request.isolation !== undefined, true)
  })

  test('UDP ASSOCIATE names the port that it will come from, or none', () => {
    for (const port of [0, 4242]) {
      const [, step] = run(bytes(...GREETING, ...request([1, 0, 0, 0, 0], port, 3)))
      assert.deepEqual(step, { kind: 'associate', request: { port, isolation: undefined } })
    }
    assert.deepEqual(socksAssociated('127.0.0.1', 4242), bytes(5, 0, 0, 1, 127, 0, 0, 1, 16, 146))
    assert.deepEqual(socksAssociated('::1', 80), bytes(5, 0, 0, 4, ...new Uint8Array(15), 1, 0, 80))
  })

  test('names and addresses are looked up by the commands of Tor', () => {
    const asked = (address: number[], command: number): ProxyStep | undefined =>
      run(bytes(...GREETING, ...request(address, 0, command)))[1]
    const found = (host: string, isReverse: boolean): ProxyStep => ({
      kind: 'resolve',
      request: { host, isReverse, isolation: undefined },
    })
    assert.deepEqual(asked(name('example.org'), 0xf0), found('example.org', false))
    assert.deepEqual(asked([1, 192, 0, 2, 7], 0xf0), found('192.0.2.7', false))
    assert.deepEqual(asked([1, 192, 0, 2, 7], 0xf1), found('192.0.2.7', true))
    assert.deepEqual(socksResolved('192.0.2.7'), bytes(5, 0, 0, 1, 192, 0, 2, 7, 0, 0))
    assert.deepEqual(socksResolved('::1'), bytes(5, 0, 0, 4, ...new Uint8Array(15), 1, 0, 0))
    assert.deepEqual(socksResolved('a.b'), bytes(5, 0, 0, 3, 3, 97, 46, 98, 0, 0))
  })

  test('what comes behind the request is for the target', () => {
    const steps = run(bytes(...GREETING, ...request(name('a.b')), 1, 2, 3))
    assert.deepEqual(steps[1]?.kind === 'request' && [...steps[1].rest], [1, 2, 3])
  })

  test('any split of the bytes gives the same steps', () => {
    const whole = bytes(5, 2, 0, 2, 1, 2, 97, 98, 1, 99, ...request(name('example.org')))
    const wanted = run(whole)
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: whole.length - 1 }), { maxLength: 8 }), (cuts) => {
        const at = [0, ...cuts.toSorted((a, b) => a - b), whole.length]
        const parts = at.slice(1).map((end, index) => whole.subarray(at[index], end))
        assert.deepEqual(run(...parts), wanted)
      }),
    )
  })
})

describe('SOCKS5 refusals', () => {
  const cases: [string, number[], Uint8Array][] = [
    ['a version that does not exist', [9], bytes(5, 0xff)],
    ['SOCKS4', [4, 1, 0, 80], bytes(0, 0x5b, 0, 0, 0, 0, 0, 0)],
    ['no known method', [5, 1, 1], bytes(5, 0xff)],
    ['no method at all', [5, 0], bytes(5, 0xff)],
    ['another version in the request', [...GREETING, 4], socksReply(1)],
    ['a reserved byte', [...GREETING, 5, 1, 7, 1], socksReply(1)],
    ['the name of a name', [...GREETING, ...request(name('a.b'), 0, 0xf1)], socksReply(8)],
    ['BIND', [...GREETING, ...request([1, 1, 2, 3, 4], 80, 2)], socksReply(7)],
    ['UDP ASSOCIATE with a name that is none', [...GREETING, ...request(name('a\0b'), 0, 3)], socksReply(1)],
    ['an unknown command', [...GREETING, ...request([1, 1, 2, 3, 4], 80, 0x2a)], socksReply(7)],
    ['an unknown address type', [...GREETING, ...request([2, 1, 2, 3, 4])], socksReply(8)],
    ['an empty name', [...GREETING, ...request([3, 0])], socksReply(1)],
    ['port 0', [...GREETING, ...request(name('a.b'), 0)], socksReply(1)],
    ['a name with a zero byte', [...GREETING, ...request(name('a\0b'))], socksReply(1)],
    ['another version of user and password', [5, 1, 2, 5], bytes(1, 1)],
  ]
  for (const [what, sent, answer] of cases) {
    test(what, () => {
      const last = run(bytes(...sent)).at(-1)
      assert.equal(last?.kind, 'end')
      assert.deepEqual(last.kind === 'end' && last.bytes, answer)
    })
  }

  test('arbitrary bytes never throw, never grow, and end in at most one request or refusal', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 700 }), { maxLength: 12 }), (parts) => {
        const ends = run(...parts).filter(({ kind }) => kind !== 'answer')
        assert.ok(ends.length <= 1)
      }),
      { numRuns: 500 },
    )
  })
})
