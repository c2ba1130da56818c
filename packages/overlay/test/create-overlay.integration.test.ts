import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Clock, systemClock } from '@weft/core'
import {
  type AdmissionState,
  type ConformanceProbe,
  type Overlay,
  type OwnPackets,
  parseNetworkFile,
  unreachablePackets,
} from '../src/index.ts'
import { LocalNetwork } from './local-network.ts'
import { codeOf } from './fixtures.ts'
import { until } from './until.ts'

function members(overlay: Overlay): number {
  return overlay.membership.members().length
}

function refused(state: AdmissionState): string | undefined {
  return state.state === 'refused' ? state.fault.code : undefined
}

const off = (ms: number): Clock => ({ ...systemClock, now: () => Date.now() + ms })

test('real nodes: validators, a member and a client come to the same map, and hostile applicants read why they do not', async (t) => {
  await using network = await LocalNetwork.create(10, 4)
  const started = await Promise.all([0, 1, 2, 3, 4].map((index) => network.start(index)))
  const client = await network.start(5, { roles: ['client'] })
  const [first] = started as [(typeof started)[0]]

  await t.test('all five are in the map of the client, which needs no certificate', async () => {
    await until(client.overlay, 'the client sees five members', () => members(client.overlay) === 5)
    assert.deepEqual(client.overlay.admission(), { state: 'client' })
    for (const { overlay } of started) {
      await until(overlay, 'certified and in the map', () => {
        const state = overlay.admission()
        return members(overlay) === 5 && state.state === 'certified' && state.inMap
      })
    }
    const roots = [client, ...started].map(({ overlay }) =>
      overlay.membership.member(network.id(4))?.certificateHash.toHex(),
    )
    assert.equal(new Set(roots).size, 1)
    assert.equal(client.overlay.membership.member(network.id(4))?.simulated, true)
  })

  await t.test('the votes behind the entries can be read by anyone', async () => {
    const votes = await client.overlay.certificateVotes(started.map(({ key }) => key.id))
    assert.equal(votes.size, 5)
    for (const each of votes.values()) assert.ok(new Set(each.map(({ validator }) => validator)).size >= 3)
  })

  await t.test('everybody is connected to everybody, and a ping measures', async () => {
    for (const { overlay } of [client, ...started]) {
      await until(overlay, 'all peers connected', () => overlay.peers().every(({ state }) => state === 'connected'))
    }
    assert.ok((await client.overlay.ping(first.key.id)) > 0)
    assert.equal(client.overlay.peer(network.id(9)).fault?.code, 'E_NOT_A_MEMBER')
  })

  await t.test('a clock that is off by a day is refused', async () => {
    const node = await network.start(6, { clock: off(86_400_000) })
    await until(node.overlay, 'refused', () => refused(node.overlay.admission()) === 'E_CLOCK_SKEW')
    await node.stop()
  })

  await t.test('an address where nobody answers is refused', async () => {
    const node = await network.start(7, { announce: ['/ip4/127.0.0.1/tcp/1025'] })
    await until(node.overlay, 'refused', () => refused(node.overlay.admission()) === 'E_ADMISSION_UNREACHABLE')
    await node.stop()
  })

  await t.test('a node of another network is refused', async () => {
    const other = parseNetworkFile(JSON.stringify({ ...network.file, name: 'other' }))
    const node = await network.start(8, { network: other })
    await until(node.overlay, 'refused', () => refused(node.overlay.admission()) === 'E_NETWORK_MISMATCH')
    await node.stop()
  })

  await t.test('none of them ever was in the map', () => {
    for (const index of [6, 7, 8]) assert.equal(client.overlay.membership.isMember(network.id(index)), false)
    assert.equal(members(client.overlay), 5)
  })

  await t.test('a member that stops is unreachable at once; started again it uses its certificate', async () => {
    const member = started[4] as (typeof started)[0]
    const before = member.overlay.admission()
    await member.stop()
    await until(client.overlay, 'unreachable', () => client.overlay.peer(member.key.id).state === 'unreachable')
    assert.equal(client.overlay.peer(member.key.id).fault?.code, 'E_NODE_UNREACHABLE')
    const again = await network.start(4)
    assert.deepEqual({ ...again.overlay.admission(), inMap: true }, before)
    assert.ok(members(again.overlay) >= 5, 'the map of before the restart is there at once')
    await until(client.overlay, 'connected again', () => client.overlay.peer(member.key.id).state === 'connected')
  })
})

test('a relay is in the map with its packet address and keys; one without, or that UDP does not reach, reads why not', async () => {
  await using network = await LocalNetwork.create(4, 1)
  const keys = { linkKey: new Uint8Array(32).fill(1), onionKey: new Uint8Array(32).fill(2) }
  const packets = (port: number): OwnPackets => ({ port, ...keys })
  const probe: ConformanceProbe = {
    role: 'packets',
    name: 'answers',
    async run(_probe, applicant) {
      const [address = ''] = applicant.packets?.addresses ?? []
      if (address.endsWith('/udp/19999')) throw unreachablePackets(address)
    },
  }
  const { overlay } = await network.start(0, {
    roles: ['validator', 'entry'],
    packets: packets(4781),
    probes: [probe],
  })
  await network.start(1, { roles: ['relay', 'storage'], packets: packets(4782) })
  await until(overlay, 'both are members', () => members(overlay) === 2)
  for (const [index, port] of [
    [0, 4781],
    [1, 4782],
  ] as const) {
    const expected = { addresses: [`/ip4/127.0.0.1/udp/${port}`], ...keys }
    assert.deepEqual(overlay.membership.member(network.id(index))?.packets, expected)
  }

  const without = await network.start(2, { roles: ['exit'] })
  await until(without.overlay, 'refused', () => refused(without.overlay.admission()) === 'E_ADMISSION_PACKETS')
  const closed = await network.start(3, { roles: ['exit'], packets: packets(19_999) })
  await until(closed.overlay, 'refused', () => refused(closed.overlay.admission()) === 'E_ADMISSION_UNREACHABLE')
  const state = closed.overlay.admission()
  assert.ok(state.state === 'refused')
  assert.match(state.fault.cause, /the applicant did not answer on UDP port 19999 of 127\.0\.0\.1/)
  assert.match(state.fault.fix, /^Open UDP port 19999 /)
  assert.equal(members(overlay), 2)
})

test('without a quorum of validators nobody is admitted, and the applicant sees who is missing', async () => {
  await using network = await LocalNetwork.create(5, 4)
  await Promise.all([0, 1].map((index) => network.start(index)))
  const { overlay } = await network.start(4)
  await until(overlay, 'two votes', () => {
    const state = overlay.admission()
    return state.state === 'applying' && state.votes === 2 && state.faults.length === 2
  })
  const state = overlay.admission()
  assert.ok(state.state === 'applying')
  assert.deepEqual(new Set(state.faults.map(({ validator }) => validator)), new Set([network.id(2), network.id(3)]))
  assert.equal(overlay.membership.status().fault?.code, 'E_MAP_NONE')
  await network.start(2)
  await until(overlay, 'in the map', () => overlay.membership.isMember(network.id(4)))
})

test('what cannot start says why, and leaves nothing open', async () => {
  await using network = await LocalNetwork.create(3, 1)
  const { file } = network
  await network.start(0)
  assert.equal(await codeOf(() => network.start(1, { announce: ['/ip4/0.0.0.0/tcp/1'] })), 'E_ANNOUNCE_NEEDED')
  const { [network.id(2)]: _, ...simulated } = file.simulated ?? {}
  const without = parseNetworkFile(JSON.stringify({ ...file, simulated }))
  assert.equal(await codeOf(() => network.start(2, { network: without })), 'E_NOT_IN_SIMULATION')
  const { overlay } = await network.start(1)
  await until(overlay, 'in the map', () => overlay.membership.isMember(network.id(1)))
})
