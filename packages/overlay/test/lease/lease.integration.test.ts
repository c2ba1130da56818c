import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LocalNetwork } from '../local-network.ts'
import { until } from '../until.ts'

test('real nodes: a client that forwards is listed with a lease that others verify, apart from the members', async () => {
  await using network = await LocalNetwork.create(6, 4)
  const started = await Promise.all([0, 1, 2, 3].map((index) => network.start(index)))
  const [first] = started as [(typeof started)[0]]
  await until(first.overlay, 'four members', () => first.overlay.membership.members().length === 4)
  const lender = await network.start(4, { roles: ['client'], lends: ['forward'] })
  const reader = await network.start(5, { roles: ['client'] })
  const { promise: held, resolve } = Promise.withResolvers<void>()
  const look = (): void => {
    const state = lender.overlay.lease()
    if (state.state === 'held' && state.listedBy === 4) resolve()
  }
  lender.overlay.on('lease', look)
  look()
  await held
  const [lease, ...others] = await first.overlay.leases()
  assert.equal(others.length, 0)
  assert.equal(lease?.body.id, network.id(4))
  assert.ok((lease?.votes.length ?? 0) >= 3)
  assert.equal((await reader.overlay.leases())[0]?.body.id, network.id(4))
  assert.deepEqual(reader.overlay.lease(), { state: 'none' })
  assert.equal(reader.overlay.membership.isMember(network.id(4)), false)
})
