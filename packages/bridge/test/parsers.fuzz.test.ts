import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { isWeftError, toBase64Url } from '@weft/core'
import { type Bridge, formatBridgeLine, parseBridgeLine } from '../src/bridge-line.ts'
import { decodeEndpoint, encodeEndpoint } from '../src/endpoint.ts'
import { isPassOf, makePass, parsePass } from '../src/pass.ts'

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const endpoint = fc.record(
  {
    host: fc
      .oneof(fc.ipV4(), fc.ipV6())
      .map((host) => (host.includes(':') ? new URL(`http://[${host}]`).hostname.slice(1, -1) : host))
      .filter((host) => !host.startsWith('::ffff:')),
    port: fc.integer({ min: 1, max: 65_535 }),
  },
  { noNullPrototype: true },
)
const bridge: fc.Arbitrary<Bridge> = fc.record(
  {
    endpoint,
    id: bytes(8),
    secret: bytes(32),
    pin: bytes(32),
    serverName: fc.constantFrom('', 'www.example.org', 'a.bc', `${'a'.repeat(63)}.example`),
  },
  { noNullPrototype: true },
)
const anyText = fc.oneof(
  fc.string(),
  fc.uint8Array({ maxLength: 300 }).map((each) => toBase64Url(each)),
)

describe('what a bridge and its clients read', () => {
  test('endpoints come back as they were', () => {
    fc.assert(
      fc.property(endpoint, fc.uint8Array({ maxLength: 4 }), (each, more) => {
        const written = encodeEndpoint(each)
        const read = decodeEndpoint(Uint8Array.of(...written, ...more))
        assert.deepEqual(read, { endpoint: each, length: written.length })
        for (let length = 0; length < written.length; length++)
          assert.equal(decodeEndpoint(written.subarray(0, length)), undefined)
      }),
    )
  })

  test('any bytes are an endpoint that is written the same, or none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 24 }), (each) => {
        const read = decodeEndpoint(each)
        if (read !== undefined) assert.deepEqual([...encodeEndpoint(read.endpoint)], [...each.subarray(0, read.length)])
      }),
    )
  })

  test('lines come back as they were, and none that was changed does', () => {
    fc.assert(
      fc.property(bridge, fc.nat(), fc.constantFrom('A', 'b', '-', '='), (each, where, letter) => {
        const line = formatBridgeLine(each)
        assert.deepEqual(parseBridgeLine(line), each)
        const at = where % line.length
        const changed = line.slice(0, at) + letter + line.slice(at + 1)
        if (changed === line) return
        assert.throws(
          () => parseBridgeLine(changed),
          (error) => isWeftError(error, 'E_BRIDGE_LINE') && !error.message.includes(line.slice(20)),
        )
      }),
    )
  })

  test('any text is a line that is written the same, or refused by its code', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        for (const line of [text, `weft-bridge-${text}`])
          try {
            assert.equal(formatBridgeLine(parseBridgeLine(line)), line)
          } catch (error) {
            assert.ok(isWeftError(error, 'E_BRIDGE_LINE'))
          }
      }),
    )
  })

  test('a pass holds for its secret, its connection and its member, and with no byte changed', () => {
    fc.assert(
      fc.property(
        bytes(8),
        bytes(32),
        bytes(32),
        endpoint,
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (id, secret, binding, target, where, by) => {
          const pass = makePass({ id, secret }, binding, target)
          const content = parsePass(pass) ?? assert.fail()
          assert.ok(isPassOf(secret, content, binding))
          assert.ok(!isPassOf(secret, content, binding.with(where % 32, (binding[where % 32] as number) ^ by)))
          assert.ok(!isPassOf(secret.with(where % 32, (secret[where % 32] as number) ^ by), content, binding))
          const raw = Uint8Array.fromBase64(pass, { alphabet: 'base64url' })
          const at = where % raw.length
          const changed = parsePass(toBase64Url(raw.with(at, (raw[at] as number) ^ by)))
          assert.ok(changed === undefined || !isPassOf(secret, changed, binding))
        },
      ),
    )
  })

  test('any text is a pass or none, and never a valid one', () => {
    fc.assert(
      fc.property(anyText, bytes(32), (text, secret) => {
        const content = parsePass(text)
        assert.ok(content === undefined || !isPassOf(secret, content, new Uint8Array(32)))
      }),
    )
  })
})
