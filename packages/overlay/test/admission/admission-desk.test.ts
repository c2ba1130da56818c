import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock, WeftError, silentLogger, systemRandom, wait } from '@weft/core'
import { type DidKey, type SigningKey, sealEnvelope } from '@weft/crypto'
import type { AdmissionCheck } from '../../src/admission/admission-check.ts'
import { ADMISSION_CHECKS } from '../../src/admission/admission-checks.ts'
import { AdmissionDesk, type AdmissionDeskInit } from '../../src/admission/admission-desk.ts'
import { encodeApplication } from '../../src/admission/application.ts'
import { encodeCertificateBody } from '../../src/admission/certificate-body.ts'
import { DIAL_BACK_TIMEOUT_MS } from '../../src/admission/dial-back.ts'
import {
  NO_BEACONS,
  NO_GAUGES,
  NO_HELP,
  NO_REVOCATIONS,
  BEGIN,
  advance,
  bodyOf,
  codeOf,
  memorySeats,
  testKeys,
} from '../fixtures.ts'
import { applicant, fixture, stranger, validator } from './apply.ts'

/** A desk that is asked by nobody and asks nobody, but for what is said, and an application that it gets. */
function deskAt(clock: VirtualClock, changes: Pick<AdmissionDeskInit, 'checks'> & Partial<AdmissionDeskInit>) {
  const desk = new AdmissionDesk({
    certificate: () => undefined,
    beaconAfter: NO_BEACONS.after,
    revocation: NO_REVOCATIONS.of,
    network: fixture.network,
    key: validator,
    help: NO_HELP,
    rpc: { call: () => Promise.reject(new Error('nobody is called')) },
    gauges: NO_GAUGES,
    region: () => undefined,
    prober: { probe: () => Promise.reject(new Error('nobody is dialled')) },
    seats: memorySeats(clock),
    isMember: () => false,
    isRelay: () => false,
    probes: [],
    clock,
    random: systemRandom,
    logger: silentLogger,
    ...changes,
  })
  const bodyBytes = encodeCertificateBody(bodyOf(fixture, 4))
  const payload = encodeApplication({ bodyBytes, time: clock.now(), nonce: systemRandom.bytes(16) })
  const application = {
    $typeName: 'weft.v1.SignedEnvelope' as const,
    ...sealEnvelope('application', payload, applicant),
  }
  return (id: DidKey, address: string): Promise<string> => codeOf(() => desk.judge({ application }, { id, address }))
}

/** A desk whose applicants take `ms` each, or longer than anybody waits. */
function setUp(ms: (id: DidKey) => number, members: readonly DidKey[] = []) {
  const clock = new VirtualClock(BEGIN + 1_000)
  const slow: AdmissionCheck = { name: 'slow', run: ({ caller }, signal) => wait(clock, ms(caller), signal) }
  const judge = deskAt(clock, { isMember: (id) => members.includes(id), checks: [slow] })
  return { clock, judge }
}

test('whoever applies from one address all the time does not keep others from being judged', async () => {
  const hostile = new Set(testKeys(120).map(({ id }) => id))
  const { clock, judge } = setUp((id) => (hostile.has(id) ? 60_000 : 10))
  const attack = [...hostile]
  for (const id of attack.splice(0, 64)) void judge(id, '/ip4/198.51.100.66/tcp/9')
  for (const [at, { id }] of testKeys(20).entries()) {
    void judge(attack.shift() as DidKey, '/ip4/198.51.100.66/tcp/9')
    const outcome = judge(id, `/ip4/192.0.2.${at + 1}/tcp/1`)
    await advance(clock, 1_000)
    assert.equal(await outcome, 'nothing')
  }
})

test('a member renews while newcomers from many addresses take every place', async () => {
  const renewing = testKeys(1)[0] as SigningKey
  const { clock, judge } = setUp((id) => (id === renewing.id ? 10 : 60_000), [renewing.id])
  for (const [at, { id }] of testKeys(80).entries()) void judge(id, `/ip4/198.51.100.${at + 1}/tcp/9`)
  assert.equal(await judge(applicant.id, '/ip4/192.0.2.7/tcp/1'), 'E_ADMISSION_BUSY')
  const outcome = judge(renewing.id, '/ip4/192.0.2.1/tcp/1')
  await advance(clock, 10)
  assert.equal(await outcome, 'nothing')
})

test('an address that is reached but never answers costs a turn of six seconds', async () => {
  const clock = new VirtualClock(BEGIN + 1_000)
  const judge = deskAt(clock, {
    prober: {
      probe: async (_address, _target, signal) => {
        await wait(clock, 60_000, signal)
        throw new WeftError({ code: 'E_NEVER', cause: 'x', fix: 'y' })
      },
    },
    checks: ADMISSION_CHECKS.filter(({ name }) => name === 'reachability'),
  })
  const outcome = judge(applicant.id, '/ip4/192.0.2.1/tcp/1')
  await advance(clock, DIAL_BACK_TIMEOUT_MS)
  assert.equal(await outcome, 'E_ADMISSION_UNREACHABLE')
  assert.equal(clock.now(), BEGIN + 1_000 + DIAL_BACK_TIMEOUT_MS)
})

test('one node is judged once at a time, and only so many wait', async () => {
  const clock = new VirtualClock(BEGIN + 1_000)
  const { promise, reject } = Promise.withResolvers<never>()
  const ask = deskAt(clock, { checks: [{ name: 'slow', run: () => promise }] })
  const judge = (id: DidKey, host: number): Promise<string> => ask(id, `/ip4/10.0.0.${host}/tcp/1`)
  const first = judge(applicant.id, 1)
  assert.equal(await judge(applicant.id, 2), 'E_ADMISSION_BUSY')
  const others = testKeys(71).map(({ id }, index) => judge(id, index + 3))
  assert.equal(await judge(stranger.id, 200), 'E_ADMISSION_BUSY', 'eight are judged and 64 wait')
  reject(new WeftError({ code: 'E_ENOUGH', cause: 'x', fix: 'y' }))
  assert.deepEqual(new Set(await Promise.all([first, ...others])), new Set(['E_ENOUGH']))
  assert.equal(await judge(applicant.id, 1), 'E_ENOUGH', 'then it may apply again')
})

test('a wait for its turn does not make an application old', async () => {
  const clock = new VirtualClock(BEGIN + 1_000)
  const slow = { name: 'slow', run: () => wait(clock, 6_000) }
  const judge = deskAt(clock, {
    checks: [slow, ...ADMISSION_CHECKS.filter(({ name }) => name === 'application-clock')],
  })
  const outcomes = testKeys(16).map(({ id }) => judge(id, '/ip4/127.0.0.1/tcp/1'))
  await advance(clock, 30_000)
  assert.deepEqual(
    await Promise.all(outcomes),
    Array.from({ length: 16 }, () => 'nothing'),
  )
})
