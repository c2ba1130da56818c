import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { fromHex, toHex } from '@weft/core'
import { formatBridgeLine, parseBridgeLine } from '../src/bridge-line.ts'
import { type Endpoint, decodeEndpoint, encodeEndpoint } from '../src/endpoint.ts'
import { isPassOf, makePass, parsePass } from '../src/pass.ts'
import { pinOf, pinOfKey } from '../src/pin.ts'
import { TEST_KEY } from './test-identity.ts'

interface Vectors {
  readonly certificate: string
  readonly pin: string
  readonly lines: readonly {
    readonly endpoint: Endpoint
    readonly endpointBytes: string
    readonly id: string
    readonly secret: string
    readonly pin: string
    readonly serverName: string
    readonly line: string
  }[]
  readonly passes: readonly {
    readonly id: string
    readonly secret: string
    readonly binding: string
    readonly target: Endpoint
    readonly targetBytes: string
    readonly pass: string
  }[]
}

const vectors = JSON.parse(readFileSync(new URL('vectors/bridge.json', import.meta.url), 'utf8')) as Vectors

describe('vectors of docs/specs/bridge.md', () => {
  test('the pin is of the public key', () => {
    assert.equal(toHex(pinOf(vectors.certificate)), vectors.pin)
    assert.equal(toHex(pinOfKey(TEST_KEY)), vectors.pin)
  })

  for (const { line, endpoint, endpointBytes, serverName, ...bytes } of vectors.lines)
    test(`a line for ${endpoint.host}`, () => {
      const [id, secret, pin] = [fromHex(bytes.id), fromHex(bytes.secret), fromHex(bytes.pin)]
      assert.equal(formatBridgeLine({ endpoint, serverName, id, secret, pin }), line)
      assert.deepEqual(parseBridgeLine(line), { endpoint, serverName, id, secret, pin })
      assert.deepEqual(decodeEndpoint(fromHex(endpointBytes)), { endpoint, length: endpointBytes.length / 2 })
    })

  for (const { pass, target, targetBytes, ...bytes } of vectors.passes)
    test(`a pass for ${target.host}`, () => {
      const [id, secret, binding] = [fromHex(bytes.id), fromHex(bytes.secret), fromHex(bytes.binding)]
      assert.equal(makePass({ id, secret }, binding, target), pass)
      const parsed = parsePass(pass) ?? assert.fail()
      assert.deepEqual({ id: parsed.id, target: parsed.target }, { id, target })
      assert.equal(toHex(encodeEndpoint(target)), targetBytes)
      assert.ok(isPassOf(secret, parsed, binding))
      assert.ok(!isPassOf(secret, parsed, new Uint8Array(32)))
      assert.ok(!isPassOf(undefined, parsed, binding))
    })
})
