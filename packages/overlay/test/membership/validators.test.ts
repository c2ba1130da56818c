import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock, seededRandom, silentLogger } from '@weft/core'
import type { DidKey, SigningKey } from '@weft/crypto'
import { toWireCertificate } from '../../src/admission/certificate.ts'
import { deriveBeaconKey } from '../../src/beacon/beacon-key.ts'
import { BeaconHistory } from '../../src/beacon/beacon-history.ts'
import { MapFollower } from '../../src/map/map-follower.ts'
import { followEpochs } from '../../src/map/map-schedule.ts'
import { serveMap } from '../../src/map/map-server.ts'
import { SignedMembership } from '../../src/map/signed-membership.ts'
import { ValidatorOffice } from '../../src/membership/validator-office.ts'
import { Revocations } from '../../src/revocation/revocations.ts'
import { MembershipDatabase } from '../../src/state/membership-database.ts'
import {
  BEGIN,
  EPOCH,
  advance,
  certificateOf,
  temporaryDirectory,
  testNetwork,
  type TestNetworkFile,
} from '../fixtures.ts'
import { MemoryNetwork, type MemoryNode } from '../memory-network.ts'

interface Participant {
  readonly node: MemoryNode
  readonly membership: SignedMembership
  readonly office: ValidatorOffice | undefined
  readonly follower: MapFollower
}

/** Validators and followers of one network on one virtual clock, without sockets. */
class Simulation {
  readonly clock = new VirtualClock(BEGIN)
  readonly network = new MemoryNetwork(this.clock)
  readonly participants: Participant[] = []
  readonly #stop = new AbortController()
  readonly #databases: MembershipDatabase[] = []
  readonly #running: Promise<unknown>[] = []
  readonly fixture: TestNetworkFile

  constructor(fixture: TestNetworkFile, directory: string) {
    this.fixture = fixture
    fixture.keys.forEach((key, index) => this.#add(key, `${directory}/${index}`, index))
  }

  #add(key: SigningKey, directory: string, seed: number): void {
    const { network } = this.fixture
    const { clock } = this
    const node = this.network.add(key.id)
    const database = new MembershipDatabase(directory)
    this.#databases.push(database)
    const revocations = new Revocations({ network, database, clock, logger: silentLogger })
    const membership = new SignedMembership({ network, database, revocations, clock, logger: silentLogger })
    const random = seededRandom(seed)
    const onMap = async (map: Parameters<MapFollower['offer']>[0], from: DidKey): Promise<void> =>
      void (await follower.offer(map, from, this.#stop.signal))
    const office = network.isValidator(key.id)
      ? new ValidatorOffice({
          ping: async () => {},
          beaconKey: deriveBeaconKey(key),
          membership,
          beacons: new BeaconHistory(database, silentLogger),
          term: network.term,
          network,
          key,
          rpc: node.rpc,
          prober: this.network,
          probes: [],
          database,
          revocations,
          terms: { offer: () => false },
          clock,
          random,
          logger: silentLogger,
          onMap,
          onSigned: (map) => void follower.offer(map, undefined, this.#stop.signal).catch(() => {}),
        })
      : undefined
    const connected = (): DidKey[] => this.network.connected(key.id)
    const follower = new MapFollower({
      membership,
      rpc: node.rpc,
      connected,
      ownEntries: (root) => office?.ownEntries(root),
      clock,
      random,
      logger: silentLogger,
    })
    serveMap(node.rpc, membership, network)
    const pull = (signal: AbortSignal): Promise<unknown> => (node.online ? follower.pull(signal) : Promise.resolve())
    this.#running.push(
      followEpochs({ network, clock, heldEpoch: () => membership.epoch, pull }, this.#stop.signal).catch(() => {}),
    )
    if (office !== undefined) this.#running.push(office.agree(this.#stop.signal).catch(() => {}))
    this.participants.push({ node, membership, office, follower })
  }

  certify(...indexes: number[]): void {
    for (const index of indexes) {
      const certificate = certificateOf(this.fixture, index)
      for (const { node, office } of this.participants) if (node.online) office?.pool.offer([certificate])
    }
  }

  epochs(): (number | undefined)[] {
    return this.participants.map(({ membership }) => membership.epoch)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await Promise.all(this.#running)
    for (const database of this.#databases) database[Symbol.dispose]()
  }
}

function member(simulation: Simulation, index: number): Participant {
  return simulation.participants[index] as Participant
}

test('every epoch has a map that a quorum signed, and everybody gets it', async () => {
  using directory = temporaryDirectory()
  await using simulation = new Simulation(testNetwork(4, 3), directory.path)
  simulation.certify(0, 1, 2, 3, 4)
  await advance(simulation.clock, 4 * EPOCH + EPOCH / 2)
  assert.deepEqual(simulation.epochs().slice(0, 4), [4, 4, 4, 4])
  for (const { membership } of simulation.participants) {
    assert.ok((membership.epoch ?? 0) >= 3)
    assert.equal(membership.members().length, 5)
    assert.equal(membership.status().signatures >= 3, true)
    assert.equal(membership.status().fault, undefined)
  }
})

test('entries are fetched only when the root changed', async () => {
  using directory = temporaryDirectory()
  await using simulation = new Simulation(testNetwork(4, 1), directory.path)
  simulation.certify(0, 1, 2, 3)
  const fetched = (): number =>
    simulation.network.calls.filter(({ method }) => method === 'map.entries' || method === 'map.changes').length
  await advance(simulation.clock, 3 * EPOCH)
  const before = fetched()
  const array = member(simulation, 4).membership.members()
  await advance(simulation.clock, 5 * EPOCH)
  assert.equal(fetched(), before)
  assert.equal(member(simulation, 4).membership.members(), array, 'the same array until the members change')
  simulation.certify(4)
  await advance(simulation.clock, 3 * EPOCH)
  assert.equal(fetched(), before + 1, 'the follower once; validators have what they signed')
})

test('with any validator down every epoch has its map, whose turn it ever was', async () => {
  using directory = temporaryDirectory()
  await using simulation = new Simulation(testNetwork(4, 1), directory.path)
  simulation.certify(0, 1, 2, 3)
  await advance(simulation.clock, EPOCH / 2)
  member(simulation, 2).node.online = false
  for (let epoch = 1; epoch < 9; epoch++) {
    await advance(simulation.clock, EPOCH)
    for (const index of [0, 1, 3]) assert.equal(member(simulation, index).membership.epoch, epoch)
  }
  member(simulation, 2).node.online = true
  await advance(simulation.clock, EPOCH)
  assert.equal(member(simulation, 2).membership.epoch, 9, 'and whoever comes back is part of the next')
})

for (const size of [1, 2, 3, 7]) {
  test(`a network of ${size} has a map in every epoch`, async () => {
    using directory = temporaryDirectory()
    await using simulation = new Simulation(testNetwork(size, 0), directory.path)
    simulation.certify(0)
    await advance(simulation.clock, EPOCH / 2)
    for (let epoch = 0; epoch < 4; epoch++) {
      assert.deepEqual(
        simulation.epochs(),
        Array.from({ length: size }, () => epoch),
      )
      await advance(simulation.clock, EPOCH)
    }
  })
}

test('without a quorum the last map stays, stale after three epochs; with one, all goes on', async () => {
  using directory = temporaryDirectory()
  await using simulation = new Simulation(testNetwork(4, 1), directory.path)
  simulation.certify(0, 1, 2, 3)
  await advance(simulation.clock, 2 * EPOCH + 10)
  const { membership } = member(simulation, 0)
  for (const index of [2, 3]) member(simulation, index).node.online = false
  await advance(simulation.clock, 3 * EPOCH)
  assert.equal(membership.status().fault, undefined)
  await advance(simulation.clock, 2 * EPOCH)
  assert.equal(membership.status().fault?.code, 'E_MAP_STALE')
  assert.equal(membership.members().length, 4, 'members go on serving')
  for (const index of [2, 3]) member(simulation, index).node.online = true
  await advance(simulation.clock, 2 * EPOCH)
  assert.equal(membership.status().fault, undefined)
})

test('a validator that lacks a certificate gets it with the proposal', async () => {
  using directory = temporaryDirectory()
  await using simulation = new Simulation(testNetwork(4, 1), directory.path)
  simulation.certify(0, 1, 2, 3)
  await advance(simulation.clock, EPOCH / 2)
  member(simulation, 3).node.online = false
  simulation.certify(4)
  member(simulation, 3).node.online = true
  assert.equal(member(simulation, 3).office?.pool.size, 4)
  await advance(simulation.clock, 2 * EPOCH)
  assert.equal(member(simulation, 3).office?.pool.size, 5)
})

test('a certificate that is kept back and shown to some validators before each epoch stops no map', async () => {
  using directory = temporaryDirectory()
  const fixture = testNetwork(4, 1)
  await using simulation = new Simulation(fixture, directory.path)
  simulation.certify(0, 1, 2, 3, 4)
  await advance(simulation.clock, 20 * EPOCH + EPOCH / 2)
  for (let epoch = 21; epoch < 33; epoch++) {
    await advance(simulation.clock, EPOCH / 4)
    const chosen = [1, 2].map((step) => member(simulation, (epoch + step) % 4))
    const keptBack = certificateOf(fixture, 4, { issuedEpoch: epoch - 20 })
    for (const { office } of chosen) office?.pool.submit(toWireCertificate(keptBack))
    await advance(simulation.clock, (3 * EPOCH) / 4)
    assert.equal(member(simulation, 0).membership.epoch, epoch)
  }
})

test('a newer certificate that one validator got is known to all after a rotation, and no epoch is lost', async () => {
  using directory = temporaryDirectory()
  const fixture = testNetwork(4, 1)
  await using simulation = new Simulation(fixture, directory.path)
  simulation.certify(0, 1, 2, 3, 4)
  await advance(simulation.clock, 20 * EPOCH + EPOCH / 2)
  const newer = certificateOf(fixture, 4, { issuedEpoch: 2 })
  member(simulation, 1).office?.pool.submit(toWireCertificate(newer))
  for (let epoch = 21; epoch < 26; epoch++) {
    await advance(simulation.clock, EPOCH)
    assert.equal(member(simulation, 0).membership.epoch, epoch)
  }
  const known = simulation.participants.map(({ office }) => office?.pool.get(newer.body.id)?.body.issuedEpoch)
  assert.deepEqual(known.slice(0, 4), [2, 2, 2, 2])
  for (const { membership } of simulation.participants) {
    assert.equal(membership.member(newer.body.id)?.certificateEpoch, 2)
  }
})

test('a map of before the restart is served at once, and not when it is older than 14 days', async () => {
  using directory = temporaryDirectory()
  const fixture = testNetwork(4, 1)
  {
    await using simulation = new Simulation(fixture, directory.path)
    simulation.certify(0, 1, 2, 3)
    await advance(simulation.clock, 2 * EPOCH)
  }
  const reopen = (now: number): number => {
    using database = new MembershipDatabase(`${directory.path}/0`)
    const clock = new VirtualClock(now)
    const { network } = fixture
    const logger = silentLogger
    const revocations = new Revocations({ network, database, clock, logger })
    return new SignedMembership({ network, database, revocations, clock, logger }).members().length
  }
  assert.equal(reopen(BEGIN + 10 * EPOCH), 4)
  assert.equal(reopen(BEGIN + 15 * 86_400_000), 0)
})

test('a node whose sources lie takes the entries of one that does not', async () => {
  using directory = temporaryDirectory()
  await using simulation = new Simulation(testNetwork(4, 1), directory.path)
  for (const { node } of simulation.participants.slice(0, 3)) {
    node.rpc.handle('map.entries', async () => ({ packed: new Uint8Array(200) }))
  }
  simulation.certify(0, 1, 2, 3)
  await advance(simulation.clock, 4 * EPOCH)
  assert.equal(member(simulation, 4).membership.members().length, 4)
})
