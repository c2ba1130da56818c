import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock, WeftError } from '@weft/core'
import type { SigningKey } from '@weft/crypto'
import { decodeApplication } from '../../src/admission/application.ts'
import { lackOf } from '../../src/admission/measure/claims.ts'
import { roleMinimumFault } from '../../src/admission/measure/demotions.ts'
import { encodeShortfall } from '../../src/admission/measure/shortfall.ts'
import type { Measured } from '../../src/admission/measured-field.ts'
import type { CertificateBody } from '../../src/admission/certificate-body.ts'
import { MemoryMembershipStore } from '../../src/state/memory-membership-store.ts'
import { BEGIN, advance, packetsOf, profileOf, testNetwork } from '../fixtures.ts'
import { MemoryNetwork } from '../memory-network.ts'
import { applicantOf } from './applicant-of.ts'

const MINIMUMS = { relay: { bandwidthMbps: 50 }, storage: { storageBytes: 1_000, availabilityPpm: 900_000 } }
const fixture = testNetwork(4, 1, { minimums: MINIMUMS })
const key = fixture.keys[4] as SigningKey
const profile = { ...profileOf(fixture, 4), roles: ['storage', 'relay'] as const, packets: packetsOf(4) }
const NONE: Measured = {
  bandwidthMbps: undefined,
  lossPpm: undefined,
  storageBytes: undefined,
  availabilityPpm: undefined,
}

/** What a validator finds of a bandwidth and of an availability; undefined for whatever is claimed. */
interface Findings {
  bandwidthMbps?: number
  availabilityPpm?: number
}

/** Four validators that measure what they are told, and an applicant. */
function setUp(findings: Findings[], store = new MemoryMembershipStore()) {
  const clock = new VirtualClock(BEGIN + 1_000)
  const network = new MemoryNetwork(clock)
  const node = network.add(key.id)
  const asked: { readonly body: CertificateBody; readonly nonce: string }[] = []
  let atOnce = 0
  let most = 0
  for (const [at, validator] of fixture.keys.slice(0, 4).entries()) {
    const { rpc } = network.add(validator.id)
    rpc.handle('admission.submit', async () => ({}))
    rpc.handle('admission.apply', async ({ application }) => {
      most = Math.max(most, ++atOnce)
      await Promise.resolve()
      atOnce--
      const { body, bodyBytes, nonce } = decodeApplication(application?.payload as Uint8Array)
      asked.push({ body, nonce: Buffer.from(nonce).toString('hex') })
      for (const role of body.roles) {
        const figure = lackOf(role, MINIMUMS, body.measured)
        if (figure !== undefined) throw new WeftError(roleMinimumFault(role, figure, MINIMUMS, body.measured))
      }
      const { bandwidthMbps, availabilityPpm } = findings[at] ?? {}
      const less = (claimed: number | undefined, found: number | undefined): number | undefined =>
        claimed !== undefined && found !== undefined && found < claimed ? found : undefined
      const short = {
        ...NONE,
        bandwidthMbps: less(body.measured?.bandwidthMbps, bandwidthMbps),
        availabilityPpm: less(body.measured?.availabilityPpm, availabilityPpm),
      }
      if (short.bandwidthMbps !== undefined || short.availabilityPpm !== undefined)
        return { shortfall: encodeShortfall(short) }
      return { vote: { signer: validator.publicKey, signature: validator.sign('vote', bodyBytes) } }
    })
  }
  const running = applicantOf({
    network: fixture.network,
    key,
    profile,
    offer: { storageBytes: 9_000 },
    rpc: node.rpc,
    database: store,
    clock,
  })
  return { ...running, clock, asked, most: () => most }
}

test('what holds is certified with all roles; each application has a nonce of its own', async () => {
  await using set = setUp([])
  await advance(set.clock, 10)
  const body = set.applicant.certificate?.body
  assert.deepEqual(body?.roles, ['storage', 'relay'])
  assert.deepEqual(body?.measured, { ...NONE, bandwidthMbps: 50, storageBytes: 9_000, availabilityPpm: 900_000 })
  assert.equal(new Set(set.asked.map(({ nonce }) => nonce)).size, set.asked.length)
  const state = set.applicant.state()
  assert.ok(state.state === 'certified' && state.demoted === undefined)
})

test('a node that is too slow for one role loses that role, not the others, and says why; one validator that lies changes nothing', async () => {
  await using set = setUp([{ bandwidthMbps: 0 }, { bandwidthMbps: 20 }, { bandwidthMbps: 22 }, { bandwidthMbps: 21 }])
  await advance(set.clock, 5_000)
  const body = set.applicant.certificate?.body
  assert.deepEqual(body?.roles, ['storage'])
  assert.equal(body?.packets, undefined)
  assert.equal(body?.measured?.bandwidthMbps, 18)
  const state = set.applicant.state()
  assert.ok(state.state === 'certified')
  assert.deepEqual(
    state.demoted?.map(({ role, code }) => [role, code]),
    [['relay', 'E_ROLE_MINIMUM']],
  )
})

test('each renewal claims all again: a line that is faster then, or an availability that fell, counts', async () => {
  const findings: Findings[] = Array.from({ length: 4 }, () => ({ bandwidthMbps: 20 }))
  await using set = setUp(findings)
  await advance(set.clock, 5_000)
  assert.deepEqual(set.applicant.certificate?.body.roles, ['storage'])
  for (const each of findings) {
    each.bandwidthMbps = 100
    each.availabilityPpm = 800_000
  }
  const before = set.asked.length
  await advance(set.clock, 20 * 3_600_000)
  assert.ok(set.asked.length >= before + 6, 'it was measured anew')
  const body = set.applicant.certificate?.body
  assert.deepEqual(body?.roles, ['relay'])
  assert.equal(body?.measured?.bandwidthMbps, 50)
  assert.equal(body?.measured?.availabilityPpm, 798_000)
})

test('with too little for any role it is refused with the reason, and tries all again', async () => {
  const findings: Findings[] = Array.from({ length: 4 }, () => ({ bandwidthMbps: 5, availabilityPpm: 1_000 }))
  await using set = setUp(findings)
  await advance(set.clock, 3_000)
  const state = set.applicant.state()
  assert.ok(state.state === 'refused')
  assert.equal(state.fault.code, 'E_ROLE_MINIMUM')
  const before = set.asked.length
  for (let step = 0; step < 300; step++) {
    await advance(set.clock, 500)
    assert.equal(set.applicant.state().state, 'refused', 'a try with less is no news')
  }
  assert.ok(set.asked.length >= before + 8, 'it tried with less')
  for (const each of findings) each.availabilityPpm = 950_000
  await advance(set.clock, 200_000)
  assert.deepEqual(set.applicant.certificate?.body.roles, ['storage'])
})

test('after a restart a certificate with fewer roles is used, and still says why', async () => {
  const store = new MemoryMembershipStore()
  {
    await using set = setUp(
      Array.from({ length: 4 }, () => ({ bandwidthMbps: 20 })),
      store,
    )
    await advance(set.clock, 5_000)
  }
  await using set = setUp([], store)
  const state = set.applicant.state()
  assert.ok(state.state === 'certified')
  assert.equal(state.demoted?.[0]?.role, 'relay')
  await advance(set.clock, 10)
  assert.equal(set.asked.length, 0)
})
