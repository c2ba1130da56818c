import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HandshakeAttempts } from '../../src/link/handshake-attempts.ts'
import type { LinkInitiation } from '../../src/link/link-handshake.ts'
import { Packet } from '../../src/packet/packet.ts'

const PEER = { address: '192.0.2.1', port: 4_781 }

/** Attempts over one way, and what they sent: whether each shows a cookie. */
function attempts() {
  const sent: { readonly initiation: LinkInitiation; readonly cookie: boolean }[] = []
  const host = {
    scratch: new Packet(),
    send: () => {},
    initiate: (_: object, cookie: Uint8Array | undefined) => {
      const initiation = {} as LinkInitiation
      sent.push({ initiation, cookie: cookie !== undefined })
      return initiation
    },
    dropInitiation: () => {},
  }
  return { sent, tries: new HandshakeAttempts(host, {}, { next: () => [PEER] }) }
}

for (const urgent of [true, false])
  test(`whoever answers each initiation by a cookie gets one more, and no more before its time${urgent ? '' : ', of a renewal as well'}`, () => {
    const { sent, tries } = attempts()
    tries.start(0, urgent)
    for (let now = 1; now < 1_000; now++)
      tries.cookieCame(sent.at(-1)?.initiation ?? assert.fail(), new Uint8Array(16), now)
    assert.deepEqual(
      sent.map(({ cookie }) => cookie),
      [false, true],
    )
    tries.retry(5_000)
    for (let now = 5_001; now < 6_000; now++)
      tries.cookieCame(sent.at(-1)?.initiation ?? assert.fail(), new Uint8Array(16), now)
    assert.equal(sent.length, 4)
  })
