import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WeftError } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import fc from 'fast-check'
import { parseNodeAddress } from '../../src/network/node-address.ts'
import {
  MAX_CERTIFIED_ADDRESS,
  certifiedAddressOf,
  formatRelayedAddress,
  parseRelayedAddress,
} from '../../src/network/relayed-address.ts'

/** Of the key whose seed is 32 zeros (RFC 8032 signs with it in none of its examples; any would do). */
const { id } = new SigningKey(new Uint8Array(32))
const TEXT = '/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN/p2p-circuit'

const refuse = (why: string): WeftError => new WeftError({ code: 'E_TEST', cause: why, fix: 'none' })

test('a relayed address names its relay in one way', () => {
  assert.equal(formatRelayedAddress(id), TEXT)
  assert.equal(parseRelayedAddress(TEXT), id)
  assert.equal(TEXT.length, MAX_CERTIFIED_ADDRESS)
  assert.equal(certifiedAddressOf(TEXT, 'address', refuse), TEXT)
  assert.equal(certifiedAddressOf('/ip4/192.0.2.1/tcp/1', 'address', refuse), '/ip4/192.0.2.1/tcp/1')
  assert.equal(parseNodeAddress(TEXT), undefined, 'nobody listens there: a network file does not take it')
})

test('every key has its address, and it is read back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (seed) => {
      const key = new SigningKey(seed)
      const text = formatRelayedAddress(key.id)
      assert.equal(parseRelayedAddress(text), key.id)
      assert.ok(text.length <= MAX_CERTIFIED_ADDRESS)
    }),
    { numRuns: 30 },
  )
})

test('nothing else is taken', () => {
  const peer = TEXT.split('/')[2] as string
  for (const text of [
    '',
    `/p2p/${peer}`,
    `/p2p/${peer}/p2p-circuit/`,
    `${TEXT}\n`,
    `${TEXT}/p2p/${peer}`,
    `/ip4/192.0.2.1/tcp/1${TEXT}`,
    `/p2p/${peer.slice(0, -1)}/p2p-circuit`,
    `/p2p/${peer}1/p2p-circuit`,
    `/p2p/${peer.toLowerCase()}/p2p-circuit`,
    // The same key as a CID, and a key of another kind.
    '/p2p/bafzaajaiaejcaoyfvw6gwzmhb6e3zgnhvsmo2z3lkeztvmbpxtz6xrwkf2p36j2m/p2p-circuit',
    '/p2p/QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N/p2p-circuit',
  ]) {
    assert.equal(parseRelayedAddress(text), undefined, text)
    assert.throws(() => certifiedAddressOf(text, 'address', refuse), { code: 'E_TEST' }, text)
  }
})

test('a relayed address with one letter changed names another relay or none', () => {
  fc.assert(
    fc.property(
      fc.nat(TEXT.length - 1),
      fc.constantFrom('0', 'O', 'I', 'l', '/', '1', 'A', 'a', '9', 'z'),
      (at, letter) => {
        const text = TEXT.slice(0, at) + letter + TEXT.slice(at + 1)
        const relay = parseRelayedAddress(text)
        if (relay !== undefined) assert.equal(formatRelayedAddress(relay), text)
      },
    ),
  )
})
