import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { networkOf } from '../../src/network/network.ts'
import { MAX_ELECTORS, canRecover, drawElectors, electorQuorum } from '../../src/terms/electors.ts'
import { atOnce } from '../../src/map/in-slices.ts'
import type { MapEntry } from '../../src/map/map-entry.ts'
import { mapReader } from '../../src/map/map-reader.ts'
import { testNetwork } from '../fixtures.ts'
import { ManyEntries, mapBodyOf } from '../map/many-entries.ts'
import { Orphans, orphans } from './orphans.ts'

describe('electors', () => {
  it('are all members but the validators where there are few, and each node draws them alike', () => {
    const set = orphans()
    const ids = set.electors.members.map(({ member }) => member.id)
    assert.deepEqual(new Set(ids), new Set(set.fixture.keys.slice(4).map(({ id }) => id)))
    const again = new Orphans(set.fixture)
    assert.deepEqual(
      again.electors.members.map(({ member }) => member.id),
      ids,
    )
    assert.equal(again.electors.set.networkId, set.electors.set.networkId)
  })

  it('are others for another map, and never vote in one another’s agreement', () => {
    const set = orphans()
    const later = new Orphans(set.fixture, 11)
    // The same entries have the same root, and are drawn alike.
    assert.deepEqual(later.electors.members, set.electors.members)
    assert.notEqual(later.electors.set.networkId, set.electors.set.networkId)
    const network = networkOf(set.fixture.network.file)
    network.begin({ number: 1, fromEpoch: 5, rotation: 0, validators: set.term.validators })
    const second = drawElectors(set.anchor, network.term, (at) => set.list.entries[at] as MapEntry)
    assert.notEqual(second.set.networkId, set.electors.set.networkId)
  })

  it('are 64 of a large map, of which no more entries are looked at than were drawn', () => {
    const { network } = testNetwork(4, 0)
    const entries = new ManyEntries(network.id, 3_000).entries()
    const body = mapBodyOf(network, entries, 10)
    const list = atOnce(mapReader.whole(body, entries, undefined))
    let looked = 0
    const { members, drawn, set } = drawElectors(body, network.term, (at) => {
      looked++
      return list.entries[at] as MapEntry
    })
    assert.deepEqual([members.length, drawn.length, looked], [MAX_ELECTORS, 64, 64])
    assert.equal(new Set(members.map(({ member }) => member.id)).size, 64)
    assert.deepEqual([set.size, set.quorum, set.someHonest], [64, 43, 22])
  })

  it('are nobody where there are but validators, and then nothing is ever decided', () => {
    const { electors } = orphans(4, 0)
    assert.deepEqual([electors.members.length, electors.set.size], [0, 0])
    assert.ok(electors.set.quorum > 0)
  })

  it('must be a quorum of themselves and more than half of all that were drawn', () => {
    assert.equal(electorQuorum(64, 64), 43)
    assert.equal(electorQuorum(64, 66), 43)
    assert.equal(electorQuorum(12, 16), 9)
    assert.equal(electorQuorum(6, 10), 6)
    // A newcomer, or a few, next to the validators: not enough, however many of them agree.
    assert.ok(electorQuorum(1, 5) > 1)
    assert.ok(electorQuorum(4, 8) > 4)
    assert.ok(electorQuorum(5, 9) <= 5)
  })

  it('can be a quorum exactly where there are more of them than validators', () => {
    for (let validators = 1; validators <= 64; validators++)
      for (let members = validators; members <= 160; members++) {
        const electors = Math.min(members - validators, MAX_ELECTORS)
        // In the worst case all validators are drawn before the last elector.
        assert.equal(canRecover(members, validators), electorQuorum(electors, electors + validators) <= electors)
      }
  })
})
