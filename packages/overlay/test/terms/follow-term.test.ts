import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { VirtualClock, seededRandom, silentLogger } from '@weft/core'
import type { DidKey, SigningKey } from '@weft/crypto'
import type { Succession } from '@weft/wire'
import { networkOf } from '../../src/network/network.ts'
import { MemoryMembershipStore } from '../../src/state/memory-membership-store.ts'
import { askForTerms, followTerm } from '../../src/terms/follow-term.ts'
import { verifySuccession } from '../../src/terms/succession.ts'
import { Terms } from '../../src/terms/terms.ts'
import { BEGIN, EPOCH, advance, codeOf, testKeys } from '../fixtures.ts'
import { MemoryNetwork } from '../memory-network.ts'
import { Orphans, changed, orphans } from './orphans.ts'

const set = orphans()
const { signal } = new AbortController()

/** A node that knows no term but that of the file, and one that tells what it is given. */
function pair(told: (number: number) => Succession | undefined) {
  const clock = new VirtualClock(BEGIN)
  const memory = new MemoryNetwork(clock)
  const [self, source] = testKeys(2) as [SigningKey, SigningKey]
  const asked: number[] = []
  memory.add(source.id).rpc.handle('term.get', async ({ number }) => {
    asked.push(number)
    const succession = told(number)
    return succession === undefined ? {} : { succession }
  })
  const network = networkOf(set.fixture.network.file)
  const store = new MemoryMembershipStore()
  const terms = new Terms({ network, store, heldEpoch: () => undefined, logger: silentLogger })
  const { rpc } = memory.add(self.id)
  const follow = (number: number): Promise<void> => followTerm({ network, terms, rpc }, source.id, number, signal)
  return { clock, memory, network, terms, rpc, source: source.id, asked, follow }
}

describe('terms that another node knows', () => {
  it('are fetched one after the other, as many as it says', async () => {
    const first = set.succession()
    const network = networkOf(set.fixture.network.file)
    network.begin(verifySuccession(network, first))
    const second = new Orphans(set.fixture, set.firstEpoch + 3, network).succession()
    const at = pair((number) => [first, second][number - 1])
    await at.follow(2)
    assert.deepEqual([at.network.term.number, at.asked], [2, [1, 2]])
    await at.follow(2)
    await at.follow(0)
    assert.deepEqual(at.asked, [1, 2])
  })

  it('are not believed for who tells them: a source that lies is refused, and is asked no more', async () => {
    const good = set.succession()
    const lies: [number, (number: number) => Succession | undefined][] = [
      [1, () => undefined],
      [4_294_967_295, () => undefined],
      [1, () => changed(good, { entries: [] })],
      [1, () => changed(good, { number: 0 })],
      [2, () => changed(good, { number: 2 })],
    ]
    for (const [number, told] of lies) {
      const at = pair(told)
      assert.equal(await codeOf(() => at.follow(number)), 'E_SUCCESSION')
      assert.deepEqual([at.network.term.number, at.asked.length], [0, 1])
    }
    // One that is true, and nothing behind it.
    const at = pair(() => good)
    assert.equal(await codeOf(() => at.follow(4_294_967_295)), 'E_SUCCESSION')
    assert.deepEqual([at.network.term.number, at.asked], [1, [1, 2, 3]])
  })

  it('are taken 4,096 in one go, so that whoever makes them without end does not hold up a node', async () => {
    let made = 0
    const network = networkOf(set.fixture.network.file)
    const numbers = {
      get term() {
        return { ...network.term, number: made }
      },
    }
    const terms = { offer: () => ++made > 0 }
    const rpc = { call: async () => ({ succession: set.succession() }) as never }
    const init = { network: numbers as typeof network, terms: terms as unknown as Terms, rpc }
    await followTerm(init, set.fixture.keys[0]!.id, 1_000_000, signal)
    assert.equal(made, 4_096)
  })

  it('are asked for now and then, as maps do not bring them to everyone', async () => {
    const at = pair((number) => (number === 1 ? set.succession() : undefined))
    const stop = new AbortController()
    let connected: readonly DidKey[] = []
    let isBehind = false
    const rest = { isKnown: () => true, isBehind: () => isBehind, random: seededRandom(1), logger: silentLogger }
    const onPeer = () => () => {}
    const asking = askForTerms({ ...at, ...rest, connected: () => connected, onPeer }, stop.signal)
    await advance(at.clock, 4 * EPOCH)
    assert.deepEqual(at.asked, [])
    connected = [at.source]
    await advance(at.clock, 4 * EPOCH)
    assert.deepEqual([at.network.term.number, at.asked], [1, [1, 2, 3]])
    // Of nobody who answers with nonsense, or not at all, does it end.
    at.memory.nodes.get(at.source)!.online = false
    await advance(at.clock, 4 * EPOCH)
    at.memory.nodes.get(at.source)!.online = true
    await advance(at.clock, 4 * EPOCH)
    assert.deepEqual(at.asked, [1, 2, 3, 2])
    // Each epoch while maps pass it by.
    isBehind = true
    await advance(at.clock, 2 * EPOCH)
    assert.deepEqual(at.asked, [1, 2, 3, 2, 2, 2])
    stop.abort()
    assert.equal(await codeOf(() => asking), 'E_ABORTED')
  })

  it('are asked for of each new connection, at once, and of so many in an epoch at most', async () => {
    const at = pair((number) => (number === 1 ? set.succession() : undefined))
    const stop = new AbortController()
    let tell: (id: DidKey, isConnected: boolean) => void = () => assert.fail('nobody listens')
    let listening = true
    const onPeer = (listener: typeof tell) => {
      tell = listener
      return () => (listening = false)
    }
    const rest = { isKnown: () => true, isBehind: () => false, random: seededRandom(1), logger: silentLogger }
    const asking = askForTerms({ ...at, ...rest, connected: () => [], onPeer }, stop.signal)
    tell(at.source, false)
    await advance(at.clock, 1)
    assert.deepEqual(at.asked, [])
    tell(at.source, true)
    await advance(at.clock, 1)
    assert.deepEqual([at.network.term.number, at.asked], [1, [1, 2, 3]])
    for (let more = 0; more < 100; more++) tell(at.source, true)
    await advance(at.clock, 1)
    assert.equal(at.asked.length, 3 + 15)
    await advance(at.clock, EPOCH)
    tell(at.source, true)
    await advance(at.clock, 1)
    assert.equal(at.asked.length, 3 + 16)
    stop.abort()
    assert.equal(await codeOf(() => asking), 'E_ABORTED')
    assert.equal(listening, false)
  })

  it('are asked of members and validators whatever strangers connect, and of strangers too', async () => {
    const at = pair((number) => (number === 1 ? set.succession() : undefined))
    const stop = new AbortController()
    const asked: string[] = []
    let isSilent = true
    const stranger = testKeys(3)[2]!.id
    at.memory.add(stranger).rpc.handle('term.get', async () => {
      asked.push(stranger)
      return {}
    })
    let tell: (id: DidKey, isConnected: boolean) => void = () => assert.fail('nobody listens')
    const onPeer = (listener: typeof tell) => {
      tell = listener
      return () => {}
    }
    const rest = { isBehind: () => false, random: seededRandom(1), logger: silentLogger }
    const connected = () => (isSilent ? [] : [stranger, stranger, stranger, at.source])
    const isKnown = (id: DidKey): boolean => id === at.source
    const asking = askForTerms({ ...at, ...rest, connected, onPeer, isKnown }, stop.signal)
    for (let more = 0; more < 100; more++) tell(stranger, true)
    tell(at.source, true)
    await advance(at.clock, 1)
    assert.deepEqual([asked.length, at.network.term.number, at.asked], [16, 1, [1, 2, 3]])
    isSilent = false
    await advance(at.clock, 12 * EPOCH)
    assert.deepEqual([asked.length, at.asked], [19, [1, 2, 3, 2, 2, 2]])
    stop.abort()
    assert.equal(await codeOf(() => asking), 'E_ABORTED')
  })
})
