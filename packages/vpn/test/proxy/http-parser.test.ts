import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WeftError, fromUtf8, utf8 } from '@weft/core'
import { SessionCode } from '@weft/onion'
import fc from 'fast-check'
import { AnyParser } from '../../src/proxy/any-parser.ts'
import { HttpParser } from '../../src/proxy/http-parser.ts'
import type { ProxyStep } from '../../src/proxy/proxy-request.ts'

const PORT = 24_681

function run(...parts: (Uint8Array | string)[]): ProxyStep[] {
  const parser = new HttpParser(PORT)
  return parts.flatMap((part) => parser.push(typeof part === 'string' ? Buffer.from(part, 'latin1') : part))
}

const connect = (target: string, ...fields: string[]): string =>
  `CONNECT ${target} HTTP/1.1\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n`

function requestOf(...parts: (Uint8Array | string)[]) {
  const [step, ...more] = run(...parts)
  assert.ok(step?.kind === 'request' && more.length === 0, JSON.stringify(step))
  return step
}

function statusOf(...parts: (Uint8Array | string)[]): string {
  const [step, ...more] = run(...parts)
  assert.ok(step?.kind === 'end' && more.length === 0, JSON.stringify(step))
  return /^HTTP\/1\.1 (\d{3}) .*\r\n\r\n/s.exec(fromUtf8(step.bytes))?.[1] ?? 'none'
}

test('CONNECT to a name, an IPv4 and an IPv6 address; what comes behind is for the target', () => {
  const wanted = [
    ['example.org:443', 'example.org', 443],
    ['192.0.2.7:80', '192.0.2.7', 80],
    ['[2001:DB8:0::1]:65535', '2001:db8::1', 65_535],
  ] as const
  for (const [target, host, port] of wanted) {
    const { request, rest } = requestOf(connect(target, 'Host: x', 'User-Agent:  curl '), Uint8Array.of(22, 3, 1))
    assert.deepEqual([request, [...rest]], [{ host, port, isolation: undefined }, []])
  }
  assert.deepEqual([...requestOf(`${connect('a.b:1')}\u0016\u0003`).rest], [22, 3])
  assert.equal(requestOf('CONNECT a.b:1 HTTP/1.0\r\n\r\n').request.port, 1)
})

test('what could be read in two ways, or is no CONNECT, is refused with a status', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['CONNECT  a.b:1 HTTP/1.1\r\n\r\n', '400'],
    ['CONNECT a.b:1 HTTP/2\r\n\r\n', '400'],
    ['CONNECT a.b:1\r\n\r\n', '400'],
    ['CONNECT a.b:1 HTTP/1.1\nHost: x\r\n\r\n', '400'],
    [connect('a.b'), '400'],
    [connect('a.b:0'), '400'],
    [connect('a.b:65536'), '400'],
    [connect('a.b:1:2'), '400'],
    [connect('[::1'), '400'],
    [connect('[1.2.3.4]:80'), '400'],
    [connect('[::g]:80'), '400'],
    [connect('user@a.b:80'), '400'],
    [connect('http://a.b:80'), '400'],
    [connect(`${'a'.repeat(256)}:80`), '400'],
    [connect('a.b:1', 'Host : x'), '400'],
    [connect('a.b:1', ' folded'), '400'],
    [connect('a.b:1', 'X: a\u0000b'), '400'],
    [connect('a.b:1', 'no colon'), '400'],
    [connect('a.b:1', 'Host: a', 'host: b'), '400'],
    [connect('a.b:1', 'Transfer-Encoding: chunked'), '400'],
    [connect('a.b:1', 'Content-Length: 5'), '400'],
    ['GET http://a.b/ HTTP/1.1\r\nHost: a.b\r\n\r\n', '405'],
    ['POST / HTTP/1.1\r\nHost: a.b\r\nContent-Length: 30\r\n\r\nCONNECT a.b:25 HTTP/1.1\r\n\r\n', '405'],
    [connect('a.b:1', `X: ${'y'.repeat(16_384)}`), '431'],
    ['A'.repeat(17_000), '431'],
  ]
  for (const [head, status] of cases) assert.equal(statusOf(head), status, JSON.stringify(head.slice(0, 80)))
  assert.deepEqual(run(connect('a.b:1', 'Content-Length: 0'))[0]?.kind, 'request')
})

test('one user and password are one key, by SOCKS5 as by HTTP; others are others', () => {
  const basic = (text: string): string => `Proxy-Authorization: Basic ${Buffer.from(text).toString('base64')}`
  const keyOf = (field: string): string | undefined => requestOf(connect('a.b:1', field)).request.isolation
  const socks = new AnyParser(PORT).push(Buffer.from([5, 1, 2, 1, 2, 97, 98, 1, 99, 5, 1, 0, 1, 192, 0, 2, 1, 0, 80]))
  const asked = socks.at(-1)
  assert.ok(asked?.kind === 'request')
  assert.equal(keyOf(basic('ab:c')), asked.request.isolation)
  const keys = [
    keyOf(basic('ab:c')),
    keyOf(basic('a:bc')),
    keyOf(basic('ab:')),
    keyOf(basic(':ab')),
    keyOf(basic('ab:c:d')),
    keyOf('Proxy-Authorization: Basic !'),
    keyOf('Proxy-Authorization: Bearer x'),
    keyOf(basic(`a:${'b'.repeat(300)}`)),
    keyOf(basic(`a:${'b'.repeat(301)}`)),
    requestOf(connect('a.b:1')).request.isolation,
  ]
  assert.equal(new Set(keys).size, keys.length)
})

test('a browser of this machine gets its file; by another name nobody does', () => {
  const get = (host: string): string => `GET /proxy.pac HTTP/1.1\r\nHost: ${host}\r\n\r\n`
  for (const host of [`127.0.0.1:${PORT}`, `localhost:${PORT}`]) {
    const [step] = run(get(host))
    assert.ok(step?.kind === 'end' && step.why === undefined)
    const text = fromUtf8(step.bytes)
    assert.match(text, /^HTTP\/1\.1 200 OK\r\n/)
    assert.match(text, /\r\nContent-Type: application\/x-ns-proxy-autoconfig\r\n/)
    assert.ok(text.endsWith(`return 'SOCKS5 127.0.0.1:${PORT}';\n}\n`))
  }
  for (const host of ['evil.example', `evil.example:${PORT}`, '127.0.0.1', `127.0.0.1:${PORT}.evil.example`])
    assert.equal(statusOf(get(host)), '403')
  assert.equal(statusOf('GET /proxy.pac HTTP/1.1\r\n\r\n'), '403')
})

test('each failure has a status and an error type of RFC 9209, code and fix', () => {
  const parser = new HttpParser(PORT)
  const said = (code: string, details: Record<string, unknown> = {}): string =>
    fromUtf8(parser.failed(new WeftError({ code, cause: 'why', fix: 'how', details })))
  const wanted: readonly (readonly [number, string])[] = [
    [SessionCode.policy, '403 destination_ip_prohibited'],
    [SessionCode.nameNotFound, '502 dns_error'],
    [SessionCode.nameServerFailed, '504 dns_timeout'],
    [SessionCode.hostUnreachable, '502 destination_ip_unroutable'],
    [SessionCode.connectionRefused, '502 connection_refused'],
    [SessionCode.timedOut, '504 connection_timeout'],
    [SessionCode.limit, '503 connection_limit_reached'],
    [SessionCode.internal, '502 proxy_internal_error'],
  ]
  for (const [code, expected] of wanted) {
    const text = said('E_STREAM_REFUSED', { code })
    const [, status] = /^HTTP\/1\.1 (\d{3}) /.exec(text) ?? []
    const [, error] = /\r\nProxy-Status: weft; error=(\w+)\r\n/.exec(text) ?? []
    assert.equal(`${status} ${error}`, expected)
    assert.ok(text.endsWith('\r\n\r\nE_STREAM_REFUSED: why\nFix: how\n'))
  }
  assert.match(said('E_NO_EXIT'), /^HTTP\/1\.1 503 /)
  assert.match(said('E_PROXY_FULL'), /^HTTP\/1\.1 503 [^]*error=connection_limit_reached\r\n/)
})

test('any split of the bytes gives the same step, and any bytes at all give one or none', () => {
  const whole = Buffer.from(`${connect('example.org:443', 'Host: example.org:443')}rest`)
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: whole.length - 1 }), { maxLength: 8 }), (cuts) => {
      const at = [0, ...cuts.toSorted((a, b) => a - b), whole.length]
      const [step] = run(...at.slice(1).map((end, index) => whole.subarray(at[index], end)))
      assert.ok(step?.kind === 'request')
      assert.deepEqual([step.request.host, step.request.port], ['example.org', 443])
      // What comes later than the head goes to the target without the parser.
      assert.ok('rest'.startsWith(fromUtf8(step.rest)))
    }),
  )
  const lines = fc.constantFrom(
    'CONNECT ',
    'a:1',
    '[::1]:2',
    ' HTTP/1.1',
    '\r\n',
    '\n',
    ' ',
    ':',
    'Host: x',
    '\u0000',
    'é',
  )
  fc.assert(
    fc.property(fc.array(fc.oneof(lines, fc.string({ maxLength: 5 })), { maxLength: 30 }), (parts) => {
      const steps = run(utf8(parts.join('')))
      assert.ok(steps.length <= 1)
      for (const step of steps) {
        if (step.kind === 'request') assert.ok(step.request.port >= 1 && step.request.host.length > 0)
        else assert.equal(step.kind, 'end')
      }
    }),
    { numRuns: 500 },
  )
})
