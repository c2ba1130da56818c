import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import type { SigningKey } from '@weft/crypto'
import type { AdmissionCase } from '../../../src/admission/admission-check.ts'
import { policyCheck } from '../../../src/admission/checks/policy-check.ts'
import { seatCheck } from '../../../src/admission/checks/seat-check.ts'
import { proveInvitation } from '../../../src/invitation/invitation-proof.ts'
import { issueInvitation } from '../../../src/invitation/issue-invitation.ts'
import { BEGIN, bodyOf, codeOf, memorySeats, testNetwork } from '../../fixtures.ts'

const DAY = 86_400_000
const fixture = testNetwork(2, 2, { policy: 'invite' })
const { network } = fixture
const [validator, , applicant] = fixture.keys as [SigningKey, SigningKey, SigningKey]

function setUp() {
  const clock = new VirtualClock(BEGIN)
  const seats = memorySeats(clock)
  const limits = { roles: ['storage'] as const, uses: 1, expiresAt: BEGIN + 1_000, node: undefined }
  const { envelope, seed } = issueInvitation(network, [validator], limits)
  const proof = { way: 'invite' as const, ...proveInvitation(envelope, seed, applicant.publicKey) }
  /** What the two checks say to the applicant now. */
  const judge = (renewal: boolean, index = 2): Promise<string> => {
    const body = bodyOf(fixture, index, { expiresAt: clock.now() + DAY })
    const application = { body, bodyBytes: new Uint8Array(), time: 0, nonce: new Uint8Array(), proof }
    const admission = { network, application, seats, now: clock.now(), renewal, stake: undefined }
    return codeOf(async () => {
      await policyCheck.run(admission as unknown as AdmissionCase, new AbortController().signal)
      await seatCheck.run(admission as unknown as AdmissionCase, new AbortController().signal)
    })
  }
  return { clock, judge }
}

test('a validator of the file needs no invitation', async () => {
  const { judge } = setUp()
  assert.equal(await judge(false, 1), 'nothing')
  assert.equal(await judge(false, 3), 'E_INVITE_HOLDER')
})

test('who joined in time renews behind the end of the invitation, and may be away for 30 days', async () => {
  const { clock, judge } = setUp()
  assert.equal(await judge(false), 'nothing')
  await clock.advance(DAY / 2)
  assert.equal(await judge(false), 'E_INVITE_EXPIRED', 'a vote alone is no membership')
  assert.equal(await judge(true), 'nothing')
  await clock.advance(30 * DAY)
  assert.equal(await judge(false), 'nothing', 'back from a long absence')
  await clock.advance(32 * DAY)
  assert.equal(await judge(false), 'E_INVITE_EXPIRED')
})
