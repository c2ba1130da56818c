import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock, WeftError, isWeftError, wait } from '@weft/core'
import type { SigningKey } from '@weft/crypto'
import { decodeApplication } from '../../src/admission/application.ts'
import { BurstResponder } from '../../src/admission/measure/burst-responder.ts'
import type { Rpc } from '../../src/rpc.ts'
import { BEGIN, advance, packetsOf, profileOf, testNetwork } from '../fixtures.ts'
import { MemoryNetwork } from '../memory-network.ts'
import { applicantOf } from './applicant-of.ts'

const VALIDATORS = 16
const HOSTILE = 5
const ADMISSION_MS = 20_000
const NEVER = new AbortController().signal
const fixture = testNetwork(VALIDATORS, 1, { minimums: { relay: { bandwidthMbps: 50 } } })
const key = fixture.keys[VALIDATORS] as SigningKey

/** Takes the turn as soon as it can and keeps it for as long as it may; or measures for a second. */
async function measure(clock: VirtualClock, rpc: Rpc, nonce: Uint8Array, isHostile: boolean): Promise<void> {
  const begin = clock.monotonic()
  let answers = 0
  const enough = isHostile ? Infinity : 5
  while (answers < enough) {
    try {
      await rpc.call(key.id, 'admission.burst', { nonce, length: 1 })
      answers++
    } catch (error) {
      if (isWeftError(error, 'E_BURST_REFUSED')) return
    }
    if (clock.monotonic() - begin > ADMISSION_MS) {
      throw new WeftError({ code: 'E_ADMISSION_TIMEOUT', cause: 'Too late.', fix: 'Apply again.', retryable: true })
    }
    await wait(clock, isHostile ? 50 : 200, NEVER)
  }
  await rpc.call(key.id, 'admission.burst', { nonce })
}

test('validators that take all the time that there is to measure are asked last, and keep nobody out', async () => {
  const clock = new VirtualClock(BEGIN + 1_000)
  const network = new MemoryNetwork(clock)
  const node = network.add(key.id)
  const bursts = new BurstResponder(clock)
  node.rpc.handle('admission.burst', async (request) => bursts.answer(request))
  for (const [at, validator] of fixture.keys.slice(0, VALIDATORS).entries()) {
    const { rpc } = network.add(validator.id)
    rpc.handle('admission.submit', async () => ({}))
    rpc.handle('admission.apply', async ({ application }) => {
      const { bodyBytes, nonce } = decodeApplication(application?.payload as Uint8Array)
      await measure(clock, rpc, nonce, at < HOSTILE)
      if (at < HOSTILE) return {}
      return { vote: { signer: validator.publicKey, signature: validator.sign('vote', bodyBytes) } }
    })
  }
  await using set = applicantOf({
    network: fixture.network,
    key,
    profile: { ...profileOf(fixture, VALIDATORS), roles: ['relay'], packets: packetsOf(VALIDATORS) },
    bursts,
    rpc: node.rpc,
    clock,
  })
  await advance(clock, 240_000)
  assert.deepEqual(set.applicant.certificate?.body.roles, ['relay'])
})
