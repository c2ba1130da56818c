import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { VirtualClock } from '@weft/core'
import { InvitationSeats } from '../../src/invitation/invitation-seats.ts'
import { quorumOf, toleratedFaults } from '../../src/network/quorum.ts'
import { MembershipDatabase } from '../../src/state/membership-database.ts'
import { BEGIN, codeOf, memorySeats, temporaryDirectory } from '../fixtures.ts'

const DAY = 86_400_000
const invitation = new Uint8Array(32).fill(1)
const keyOf = (index: number): Uint8Array => new Uint8Array(32).fill(index + 10)
const request = (index: number, uses = 1) => ({ invitation, uses, key: keyOf(index) })

test('a seat is the same node’s again, and nobody else’s while it lasts', async () => {
  const clock = new VirtualClock(BEGIN)
  const seats = memorySeats(clock)
  seats.take(request(0), BEGIN + DAY, false)
  seats.take(request(0), BEGIN + DAY, false)
  assert.equal(await codeOf(() => seats.take(request(1), BEGIN + DAY, false)), 'E_INVITE_USED')
  assert.equal(await codeOf(() => seats.requireFree(request(1))), 'E_INVITE_USED')
  assert.equal(await codeOf(() => seats.take({ ...request(1), invitation: keyOf(9) }, BEGIN + DAY, false)), 'nothing')
  await clock.advance(DAY)
  assert.equal(seats.of(request(0)), undefined)
  assert.equal(await codeOf(() => seats.take(request(1), BEGIN + 2 * DAY, false)), 'nothing')
})

test('a member that renewed keeps its seat for 30 days behind its certificate; an older vote does not shorten that', async () => {
  const clock = new VirtualClock(BEGIN)
  const seats = memorySeats(clock)
  seats.take(request(0), BEGIN + DAY, false)
  assert.equal(seats.of(request(0))?.joined, false)
  seats.take(request(0), BEGIN + DAY, true)
  seats.take(request(0), BEGIN + 1_000, false)
  await clock.advance(31 * DAY - 1)
  assert.equal(seats.of(request(0))?.joined, true)
  assert.equal(await codeOf(() => seats.take(request(1), BEGIN + 32 * DAY, false)), 'E_INVITE_USED')
  await clock.advance(1)
  assert.equal(await codeOf(() => seats.take(request(1), BEGIN + 32 * DAY, false)), 'nothing')
})

test('seats outlive a restart, and those that are over go from the disk', async () => {
  const clock = new VirtualClock(BEGIN)
  using directory = temporaryDirectory()
  {
    using database = new MembershipDatabase(directory.path)
    new InvitationSeats(database, clock).take(request(0), BEGIN + DAY, false)
  }
  using database = new MembershipDatabase(directory.path)
  const seats = new InvitationSeats(database, clock)
  assert.deepEqual(seats.of(request(0)), { key: keyOf(0), until: BEGIN + DAY, joined: false })
  assert.equal(await codeOf(() => seats.take(request(1), BEGIN + DAY, false)), 'E_INVITE_USED')
  await clock.advance(DAY)
  seats.take({ ...request(1), invitation: keyOf(5) }, BEGIN + 2 * DAY, false)
  assert.equal(database.seat(invitation, keyOf(0)), undefined)
})

test('however votes are asked for, no more nodes get a quorum than the page says, and one use admits one node', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(1, 2, 3, 4, 7, 10),
      fc.integer({ min: 1, max: 4 }),
      fc.boolean(),
      fc.array(fc.tuple(fc.nat(), fc.nat({ max: 7 })), { maxLength: 200 }),
      (count, uses, lie, asked) => {
        const clock = new VirtualClock(BEGIN)
        const liars = lie ? toleratedFaults(count) : 0
        const validators = Array.from({ length: count }, () => memorySeats(clock))
        const votes = new Map<number, Set<number>>()
        for (const [at, node] of asked) {
          const index = at % count
          try {
            // A validator that lies votes for everybody.
            if (index >= liars) (validators[index] as InvitationSeats).take(request(node, uses), BEGIN + DAY, false)
            votes.set(node, (votes.get(node) ?? new Set()).add(index))
          } catch {
            // Refused: no vote.
          }
        }
        const quorum = quorumOf(count)
        const certified = [...votes.values()].filter((voters) => voters.size >= quorum).length
        const most = Math.floor((uses * (count - liars)) / (quorum - liars))
        assert.ok(certified <= most, `${certified} of ${uses} with ${count} validators, ${liars} of which lie`)
        if (uses === 1) assert.ok(certified <= 1)
        assert.ok(most < 2 * uses)
      },
    ),
    { numRuns: 300 },
  )
})
