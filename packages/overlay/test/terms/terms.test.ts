import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { WeftError, silentLogger } from '@weft/core'
import { type Succession, SuccessionSchema, encodeMessage } from '@weft/wire'
import { type Network, networkOf } from '../../src/network/network.ts'
import { MemoryMembershipStore } from '../../src/state/memory-membership-store.ts'
import { splitEpochs } from '../../src/terms/recovery-times.ts'
import { verifySuccession } from '../../src/terms/succession.ts'
import { Terms } from '../../src/terms/terms.ts'
import { codeOf } from '../fixtures.ts'
import { Orphans, changed, orphans } from './orphans.ts'

const set = orphans()
const { file } = set.network

interface Known {
  readonly network: Network
  readonly terms: Terms
}

function known(store: Pick<MemoryMembershipStore, 'succession' | 'saveSuccession'>, held?: number): Known {
  const network = networkOf(file)
  return { network, terms: new Terms({ network, store, heldEpoch: () => held, logger: silentLogger }) }
}

/** The first term behind that of the file, and the second. */
function two(): [Succession, Succession] {
  const first = set.succession()
  const network = networkOf(file)
  network.begin(verifySuccession(network, first))
  return [first, new Orphans(set.fixture, set.firstEpoch + 3, network).succession()]
}

describe('terms', () => {
  it('begin in their order, are told, and are there after a restart', async () => {
    const store = new MemoryMembershipStore()
    const { network, terms } = known(store)
    const [first, second] = two()
    const told: number[] = []
    network.onTerm(({ number }) => told.push(number))
    assert.equal(await codeOf(() => terms.offer(second)), 'E_SUCCESSION')
    assert.deepEqual([terms.offer(first), terms.offer(second)], [true, true])
    assert.deepEqual(told, [1, 2])
    const again = known(store)
    assert.deepEqual(again.network.term.validators, network.term.validators)
    assert.deepEqual(
      [again.network.term.number, again.terms.succession(1), again.terms.succession(3)],
      [2, first, undefined],
    )
    assert.equal(again.terms.succession(0), undefined)
  })

  it('are offered twice without harm, also another of the same number: the first is kept', () => {
    const { network, terms } = known(new MemoryMembershipStore())
    assert.equal(terms.offer(set.succession()), true)
    const { validators } = network.term
    assert.equal(terms.offer(set.succession()), false)
    assert.equal(terms.offer(set.succession({ seats: [4, 5] })), false)
    assert.equal(terms.offer(changed(set.succession(), { anchor: undefined })), false)
    assert.deepEqual(network.term.validators, validators)
  })

  it('that cannot be kept begin all the same', () => {
    const full = new WeftError({ code: 'E_DISK_FULL', cause: 'x', fix: 'y' })
    const store = {
      succession: () => undefined,
      saveSuccession: () => {
        throw full
      },
    }
    const { network, terms } = known(store)
    assert.equal(terms.offer(set.succession()), true)
    assert.equal(network.term.number, 1)
    assert.ok(terms.succession(1) !== undefined)
  })

  it('of a damaged disk, and those behind them, are not used, and may be told again', () => {
    const [first, second] = two()
    for (const damaged of [new Uint8Array(7), encodeMessage(SuccessionSchema, changed(first, { entries: [] }))]) {
      const store = new MemoryMembershipStore()
      store.saveSuccession(1, damaged)
      store.saveSuccession(2, encodeMessage(SuccessionSchema, second))
      const { network, terms } = known(store)
      assert.equal(network.term.number, 0)
      assert.deepEqual([terms.offer(first), terms.offer(second)], [true, true])
      assert.equal(known(store).network.term.number, 2)
    }
  })

  it('are not believed by whoever had maps of the validators before for long after the anchor', async () => {
    const last = set.anchor.epoch + splitEpochs(file)
    assert.equal(known(new MemoryMembershipStore(), last).terms.offer(set.succession()), true)
    const apart = known(new MemoryMembershipStore(), last + 1)
    assert.equal(await codeOf(() => apart.terms.offer(set.succession())), 'E_SUCCESSION')
    assert.equal(apart.network.term.number, 0)
  })
})
