import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Scope, fromHex, silentLogger, toHex } from '@weft/core'
import { onionKeyOverlapMs } from '@weft/overlay'
import { growNetwork } from '../packages/devnet/src/simulation/grow-network.ts'
import { Simulation } from '../packages/devnet/src/simulation/simulation.ts'
import { OnionKeys } from '../packages/node/src/daemon/onion-keys.ts'

// The keys of a daemon below a whole network on a virtual clock, with certificates of minutes.

const CLOCKS = { mapEpochMs: 5_000, certificateTtlMs: 240_000 }
const MEMBERS = 6

test('a relay has the secret of each onion key that a map of any age within the overlap names, over renewals and restarts, and of no other', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'weft-onion-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const overlapMs = onionKeyOverlapMs(CLOCKS)
  let keys: OnionKeys | undefined
  using simulation = new Simulation({
    seed: 'onion keys',
    members: MEMBERS,
    ...CLOCKS,
    change: ({ name }) => (name === 'n1' ? { roles: ['relay'] } : {}),
    onionKeys: (name, clock) => {
      if (name !== 'n1') return undefined
      const init = { directory: join(directory, 'onion'), firstKey: join(directory, 'onion.key'), overlapMs }
      return (keys = new OnionKeys({ ...init, clock, logger: silentLogger }))
    },
  })
  await growNetwork(simulation, { members: MEMBERS })
  const relay = simulation.nodes.find(({ name }) => name === 'n1') ?? assert.fail()
  keys?.start(new Scope({ name: 'n1' }))
  /** When a key was last named by a map of anybody. */
  const named = new Map<string, number>()
  const look = (): void => {
    for (const { overlay } of simulation.running()) {
      const packets = overlay?.membership.member(relay.id)?.packets
      if (packets !== undefined) named.set(toHex(packets.onionKey), simulation.now)
    }
    for (const [key, at] of named) {
      const has = keys?.has(fromHex(key)) === true
      if (simulation.now - at < overlapMs - 2 * CLOCKS.mapEpochMs)
        assert.ok(has, `${key} is missed at ${simulation.now}`)
      // A map of the relay's own says when the time begins, and others may have it an epoch earlier or later.
      else if (simulation.now - at > overlapMs + 2 * CLOCKS.mapEpochMs)
        assert.ok(!has, `${key} is left at ${simulation.now}`)
    }
  }
  for (let second = 1; second <= 600; second++) {
    if (second === 200 || second === 400) {
      simulation.kill(relay)
      keys = undefined
      await simulation.start(relay)
      const again: OnionKeys = keys ?? assert.fail()
      again.start(new Scope({ name: 'n1' }))
    }
    await simulation.run(1_000)
    look()
  }
  assert.ok(named.size >= 5, `${named.size} keys in ten minutes`)
  assert.ok(readdirSync(join(directory, 'onion')).length <= 3)
})
