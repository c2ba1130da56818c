import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemRandom } from '@weft/core'
import fc from 'fast-check'
import { INITIATION_MESSAGE_AT, INITIATION_MESSAGE_END, openInitiation } from '../../src/link/initiation-packet.ts'
import { LinkInitiation, ReceivedInitiation, initiationAead } from '../../src/link/link-handshake.ts'
import { Packet } from '../../src/packet/packet.ts'
import { CHACHA_ONLY, type Suites } from '../../src/packet/suite.ts'
import { generateX25519 } from '../../src/x25519.ts'
import { WITH_AES } from '../node-aes.ts'
import { TestNetwork, cell, numberOf } from './link-network.ts'

/** AES-256 that counts the contexts that are open. */
function counted(): { readonly suites: Suites; readonly open: () => number } {
  const open = new Set<object>()
  const keep = <T extends { wipe(): void }>(made: T): T => {
    const wipe = made.wipe.bind(made)
    open.add(made)
    made.wipe = () => {
      open.delete(made)
      wipe()
    }
    return made
  }
  const { aes256 } = WITH_AES
  assert.ok(aes256 !== undefined)
  return {
    suites: { aes256: { gcm: (key) => keep(aes256.gcm(key)), mask: (key) => keep(aes256.mask(key)) } },
    open: () => open.size,
  }
}

describe('suites of links', () => {
  for (const [ours, theirs, isAes] of [
    [true, true, true],
    [true, false, false],
    [false, true, false],
    [false, false, false],
  ] as const)
    it(`are AES-256-GCM where both sides have it: ${ours} and ${theirs}`, async () => {
      const network = new TestNetwork()
      const [left, right] = [counted(), counted()]
      const a = network.add(1, { suites: ours ? left.suites : CHACHA_ONLY })
      const b = network.add(2, { suites: theirs ? right.suites : CHACHA_ONLY })
      const link = a.links.connect(b.endpoint, b.keys.publicKey, false)
      link.circuits = 1
      await network.run(10)
      b.ups[0]!.circuits = 1
      assert.deepEqual([left.open() > 0, right.open() > 0], [isAes, isAes])
      for (let at = 0; at < 100; at++) assert.ok(link.sendCell(0x8000_0001, cell(at)))
      await network.run(10)
      assert.ok(b.ups[0]!.sendMessage(2, 0x8000_0001, Uint8Array.of(1)))
      await network.run(10)
      assert.deepEqual(
        b.received.map(numberOf),
        Array.from({ length: 100 }, (_, at) => at),
      )
      assert.equal(a.received.length, 1)
      // Keys are renewed every two minutes, and those of before are kept for one generation.
      await network.run(600_000)
      const most = isAes ? 3 * 4 : 0
      assert.ok(left.open() <= most && right.open() <= most, `${left.open()} and ${right.open()} contexts are open`)
      assert.equal(link.state, 'up')
      a.links.close()
      b.links.close()
      assert.deepEqual([left.open(), right.open()], [0, 0], 'no key is left behind')
    })

  it('are the same at both sides, whichever begins', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.boolean(), (ours, theirs) => {
        const [keys, theirKeys] = [generateX25519(systemRandom), generateX25519(systemRandom)]
        const packet = new Packet()
        const common = { networkId: 'test', random: systemRandom }
        const initiation = new LinkInitiation(
          { ...common, keys, suites: ours ? WITH_AES : CHACHA_ONLY },
          { responderKey: theirKeys.publicKey, localIndex: 5, time: 1, part: 0 },
          packet,
        )
        assert.ok(openInitiation(initiationAead(theirKeys.publicKey), packet))
        const message = packet.bytes.slice(INITIATION_MESSAGE_AT, INITIATION_MESSAGE_END)
        const received = ReceivedInitiation.read(
          { ...common, keys: theirKeys, suites: theirs ? WITH_AES : CHACHA_ONLY },
          message,
        )
        const answered = received?.respond(6, packet)
        const made = initiation.readResponse(packet)
        assert.equal(answered?.suite, made?.suite)
        assert.equal(answered?.suite, ours && theirs ? 2 : 1)
        const slot = cell(3)
        assert.ok(made?.sealCell(slot, 9))
        assert.equal(answered?.open(slot), 'cell')
      }),
      { numRuns: 8 },
    )
  })
})
