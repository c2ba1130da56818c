import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { utf8 } from '@weft/core'
import { sha256 } from '@weft/crypto'
import { KEPT_EPOCHS } from '../../src/agreement/agreement-store.ts'
import { KEPT_BEACONS } from '../../src/beacon/beacon-store.ts'
import { MembershipDatabase } from '../../src/state/membership-database.ts'
import { MemoryMembershipStore } from '../../src/state/memory-membership-store.ts'
import type { MembershipStore } from '../../src/state/membership-store.ts'
import { temporaryDirectory } from '../fixtures.ts'

/** A store, and the same one as a node finds it when it is started again. */
type Fixture = Disposable & { store: MembershipStore; again(): MembershipStore }

const KINDS: Readonly<Record<string, () => Fixture>> = {
  'a file of SQLite': () => {
    const directory = temporaryDirectory()
    let store = new MembershipDatabase(directory.path)
    return {
      store,
      again() {
        store[Symbol.dispose]()
        return (store = new MembershipDatabase(directory.path))
      },
      [Symbol.dispose]() {
        store[Symbol.dispose]()
        directory[Symbol.dispose]()
      },
    }
  },
  memory: () => {
    const store = new MemoryMembershipStore()
    return { store, again: () => store, [Symbol.dispose]: () => {} }
  },
}

const texts = (items: readonly Uint8Array[] | undefined): string[] =>
  (items ?? []).map((bytes) => Buffer.from(bytes).toString())
const certificate = (name: string, expiresAt: number) => ({
  key: new Uint8Array(32).fill(name.charCodeAt(0)),
  expiresAt,
  certificate: utf8(`${name} until ${expiresAt}`),
})

const allOf = (store: MembershipStore): Uint8Array[] =>
  store.certificateKeys(0).flatMap((key) => store.certificate(key) ?? [])

for (const [kind, make] of Object.entries(KINDS)) {
  describe(`membership in ${kind}`, () => {
    it('remembers the agreement of the newest epochs, and says which it may have forgotten', () => {
      using fixture = make()
      const { store } = fixture
      for (let epoch = 10; epoch < 10 + KEPT_EPOCHS; epoch++) store.saveAgreement(epoch, utf8(`state ${epoch}`))
      assert.equal(store.agreement(9), 'spent')
      assert.equal(store.agreement(1_000), undefined)
      store.saveAgreement(11, utf8('again'))
      store.saveAgreement(1_000, utf8('later'))
      const again = fixture.again()
      assert.equal(again.agreement(10), 'spent')
      assert.deepEqual(texts([again.agreement(11), again.agreement(1_000)] as Uint8Array[]), ['again', 'later'])
    })

    it('counts the seats of an invitation that others have, and forgets those that are over', () => {
      using fixture = make()
      const [invitation, another] = [new Uint8Array(32).fill(7), new Uint8Array(32).fill(8)]
      const [one, other] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
      fixture.store.saveSeat(invitation, { key: one, until: 100, joined: false }, 0)
      fixture.store.saveSeat(invitation, { key: other, until: 200, joined: true }, 0)
      fixture.store.saveSeat(another, { key: one, until: 300, joined: false }, 0)
      const again = fixture.again()
      assert.deepEqual(again.seat(invitation, other), { key: other, until: 200, joined: true })
      const counts = (now: number) => [one, other].map((key) => again.seatsOfOthers(invitation, key, now))
      assert.deepEqual(
        [counts(0), counts(100), counts(200)],
        [
          [1, 1],
          [1, 0],
          [0, 0],
        ],
      )
      again.saveSeat(invitation, { key: other, until: 400, joined: true }, 150)
      assert.deepEqual(again.seat(invitation, other), { key: other, until: 400, joined: true })
      assert.equal(again.seat(invitation, one), undefined)
      assert.equal(again.seatsOfOthers(another, other, 150), 1)
    })

    it('keeps the first evidence against a validator, and the newest revocation of a key until it ends', () => {
      using fixture = make()
      const { store } = fixture
      const [one, other] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
      store.saveEvidence(one, utf8('first'))
      store.saveEvidence(one, utf8('second'))
      store.saveRevocation({ key: one, endsAt: 100, revocation: utf8('old') })
      store.saveRevocation({ key: one, endsAt: 100, revocation: utf8('new') })
      store.saveRevocation({ key: other, endsAt: 200, revocation: utf8('other') })
      const again = fixture.again()
      assert.deepEqual(texts(again.evidence()), ['first'])
      assert.deepEqual(texts(again.revocations()).toSorted(), ['new', 'other'])
      again.dropEndedRevocations(100)
      assert.deepEqual(texts(again.revocations()), ['other'])
    })

    it('keeps the votes for a revocation in their order, each once, until they are dropped', () => {
      using fixture = make()
      const { store } = fixture
      const keyOf = (signer: number) => new Uint8Array(32).fill(signer)
      const kept = (body: string, signer: number, opener: number) => ({ ...vote(body, signer), opener: keyOf(opener) })
      const vote = (body: string, signer: number, signature = body) => ({
        body: utf8(body),
        signer: new Uint8Array(32).fill(signer),
        signature: utf8(signature),
      })
      for (const one of [vote('b', 2), vote('a', 1), vote('b', 1)]) store.saveRevocationVote(one, true)
      store.saveRevocationVote(vote('b', 2, 'again'), false)
      const again = fixture.again()
      assert.deepEqual(again.revocationVotes(), [kept('b', 2, 2), kept('a', 1, 1), kept('b', 1, 2)])
      again.dropRevocationVotes(sha256(utf8('b')), new Uint8Array(32).fill(2))
      assert.deepEqual(again.revocationVotes(), [kept('a', 1, 1), kept('b', 1, 2)])
      again.dropRevocationVotes(sha256(utf8('b')))
      assert.deepEqual(again.revocationVotes(), [kept('a', 1, 1)])
      again.saveRevocationVote(vote('b', 3), false)
      assert.deepEqual(again.revocationVotes(), [kept('a', 1, 1), kept('b', 3, 3)], 'another opens it anew')
    })

    it('keeps how terms began, in their order, and what was said last in a recovery', () => {
      using fixture = make()
      const { store } = fixture
      assert.deepEqual([store.succession(1), store.recovery(1)], [undefined, undefined])
      for (const number of [2, 10, 1]) store.saveSuccession(number, utf8(`term ${number}`))
      store.saveSuccession(2, utf8('term 2 again'))
      const said = (text: string, context = 'wone') => ({ context, state: utf8(text) })
      store.saveRecovery(1, said('first'))
      store.saveRecovery(1, said('second', 'wother'))
      const again = fixture.again()
      const told = [1, 2, 3, 10].map((number) => again.succession(number))
      assert.deepEqual(
        told.map((bytes) => (bytes === undefined ? undefined : texts([bytes])[0])),
        ['term 1', 'term 2 again', undefined, 'term 10'],
      )
      const kept = again.recovery(1)
      assert.deepEqual([kept?.context, texts(kept && [kept.state])], ['wother', ['second']])
      again.saveRecovery(2, said('of the next term'))
      assert.deepEqual([again.recovery(1), texts([again.recovery(2)!.state])], [undefined, ['of the next term']])
    })

    it('keeps what was said last in a handover, of one term', () => {
      using fixture = make()
      const { store } = fixture
      assert.equal(store.handover(1), undefined)
      store.saveHandover(1, utf8('first'))
      store.saveHandover(1, utf8('second'))
      const again = fixture.again()
      assert.deepEqual(texts([again.handover(1)!]), ['second'])
      again.saveHandover(2, utf8('next'))
      assert.deepEqual([again.handover(1), texts([again.handover(2)!])], [undefined, ['next']])
    })

    it('keeps the rotation that was drawn, of one term', () => {
      using fixture = make()
      const { store } = fixture
      assert.equal(store.rotation(1), undefined)
      store.saveRotation(1, utf8('first'))
      const again = fixture.again()
      assert.deepEqual(texts([again.rotation(1)!]), ['first'])
      again.saveRotation(2, utf8('next'))
      assert.deepEqual([again.rotation(1), texts([again.rotation(2)!])], [undefined, ['next']])
      again.saveRotation(2, undefined)
      assert.equal(again.rotation(2), undefined)
    })

    it('is empty at first', () => {
      using fixture = make()
      const { store } = fixture
      assert.equal(store.ownCertificate(), undefined)
      assert.equal(store.lastSigned(), undefined)
      assert.equal(store.map(), undefined)
      assert.deepEqual(store.certificateKeys(0), [])
    })

    it('keeps the newest of what there is one of', () => {
      using fixture = make()
      for (const text of ['old', 'new']) fixture.store.saveOwnCertificate(utf8(text))
      fixture.store.saveSigned(7, new Uint8Array(32).fill(1))
      fixture.store.saveSigned(9, new Uint8Array(32).fill(2))
      const store = fixture.again()
      assert.deepEqual(texts([store.ownCertificate() as Uint8Array]), ['new'])
      assert.equal(store.lastSigned()?.epoch, 9)
      assert.deepEqual(new Uint8Array(store.lastSigned()?.bodyHash ?? []), new Uint8Array(32).fill(2))
    })

    it('keeps one certificate a key until it expires', () => {
      using fixture = make()
      fixture.store.saveCertificates([certificate('a', 10), certificate('b', 20)])
      fixture.store.saveCertificates([certificate('a', 30), certificate('c', 40)])
      fixture.store.dropExpiredCertificates(20)
      const store = fixture.again()
      assert.deepEqual(texts(allOf(store)).toSorted(), ['a until 30', 'c until 40'])
      assert.equal(store.certificateKeys(30).length, 1, 'that end later')
      assert.equal(store.certificate(certificate('b', 20).key), undefined)
    })

    it('keeps the newest beacons of maps, and the last that it made itself', () => {
      using fixture = make()
      const { store } = fixture
      const beacon = (epoch: number) => ({ epoch, value: new Uint8Array(32).fill(epoch % 256), previous: epoch - 1 })
      assert.deepEqual(store.beacons(), [])
      assert.equal(store.computedBeacon(), undefined)
      for (let epoch = 0; epoch < KEPT_BEACONS + 3; epoch++) store.saveBeacon(beacon(epoch))
      store.saveComputedBeacon(beacon(1))
      store.saveComputedBeacon(beacon(2))
      const again = fixture.again()
      assert.equal(again.beacons().length, KEPT_BEACONS)
      assert.deepEqual([again.beacons()[0], again.beacons().at(-1)], [beacon(3), beacon(KEPT_BEACONS + 2)])
      assert.deepEqual(again.computedBeacon(), beacon(2))
    })

    it('keeps the map with its entries in the order of their keys, by what changes from one to the next', () => {
      using fixture = make()
      const entry = (name: string, text = name) => ({
        key: new Uint8Array(32).fill(name.charCodeAt(0)),
        bytes: utf8(text),
      })
      const shown = (): string[] => {
        const map = fixture.again().map()
        return texts([map?.map as Uint8Array, ...(map?.entries ?? [])])
      }
      const first = [entry('x'), entry('y')]
      fixture.store.saveMap(utf8('one'), { whole: true, entries: first, removed: [], all: first })
      fixture.store.saveMap(utf8('two'), { whole: false, entries: [], removed: [], all: first })
      assert.deepEqual(shown(), ['two', 'x', 'y'])
      fixture.store = fixture.again()
      const changed = [entry('a'), entry('y', 'Y')]
      fixture.store.saveMap(utf8('three'), {
        whole: false,
        entries: changed,
        removed: [entry('x').key],
        all: changed,
      })
      assert.deepEqual(shown(), ['three', 'a', 'Y'])
      fixture.store = fixture.again()
      fixture.store.saveMap(utf8('four'), { whole: true, entries: [entry('z')], removed: [], all: [entry('z')] })
      assert.deepEqual(shown(), ['four', 'z'])
    })
  })
}
