import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemRandom, toHex } from '@weft/core'
import { CookieMaker } from '../../src/link/cookie.ts'

function maker() {
  const drawn: Uint8Array[] = []
  const cookies = new CookieMaker({
    bytes(length) {
      drawn.push(systemRandom.bytes(length))
      return drawn.at(-1)!
    },
  })
  const cookie = (address: string, port: number, now: number): string => toHex(cookies.of({ address, port }, now))
  return { drawn, cookies, cookie }
}

test('a cookie is that of one address and port, for two minutes of one secret', () => {
  const { drawn, cookie } = maker()
  const first = cookie('192.0.2.1', 1_000, 5)
  assert.equal(first.length, 32)
  assert.equal(cookie('192.0.2.1', 1_000, 120_004), first)
  const others = [cookie('192.0.2.1', 1_001, 6), cookie('192.0.2.11', 1_000, 6), cookie('192.0.2.1', 1_000, 120_005)]
  assert.equal(new Set([first, ...others]).size, 4)
  assert.equal(drawn.length, 2)
})

test('a secret is overwritten when another takes its place, and in the end', () => {
  const { drawn, cookies, cookie } = maker()
  cookie('192.0.2.1', 1, 0)
  cookie('192.0.2.1', 1, 120_000)
  assert.deepEqual(drawn[0], new Uint8Array(32))
  assert.notDeepEqual(drawn[1], new Uint8Array(32))
  cookies.wipe()
  assert.deepEqual(drawn[1], new Uint8Array(32))
})
