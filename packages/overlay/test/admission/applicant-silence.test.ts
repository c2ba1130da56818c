import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock, seededRandom, wait } from '@weft/core'
import type { SigningKey } from '@weft/crypto'
import { challengeNonce } from '../../src/admission/challenge-nonce.ts'
import { decodeApplication } from '../../src/admission/application.ts'
import { BEGIN, advance, packetsOf, profileOf, testNetwork } from '../fixtures.ts'
import { MemoryNetwork } from '../memory-network.ts'
import { applicantOf } from './applicant-of.ts'

const VALIDATORS = 16
const SILENT = 5
/** That an honest validator takes to measure both, ms. */
const MEASURING = 4_000
const NEVER = new AbortController().signal
const fixture = testNetwork(VALIDATORS, 1, { minimums: { relay: { bandwidthMbps: 50, lossPpm: 10_000 } } })
const key = fixture.keys[VALIDATORS] as SigningKey

/**
 * A node that claims a bandwidth and a loss, some of whose validators never answer.
 * @param challenge whether these put one, or a stranger does in their name
 */
async function apply(
  challenge: 'none' | 'own' | 'of a stranger',
  forMs: number,
): Promise<{ certified: boolean; mostHonest: number }> {
  const clock = new VirtualClock(BEGIN + 1_000)
  const network = new MemoryNetwork(clock)
  const node = network.add(key.id)
  const random = seededRandom(3)
  let honest = 0
  let mostHonest = 0
  for (const [at, validator] of fixture.keys.slice(0, VALIDATORS).entries()) {
    const { rpc } = network.add(validator.id)
    rpc.handle('admission.submit', async () => ({}))
    rpc.handle('admission.apply', async ({ application }, _, signal) => {
      const { bodyBytes, nonce } = decodeApplication(application?.payload as Uint8Array)
      const isStranger = at < SILENT && challenge === 'of a stranger'
      if (at >= SILENT || challenge !== 'none')
        applicant.challengedBy(validator.id, challengeNonce(random, isStranger ? random.bytes(16) : nonce))
      if (at < SILENT)
        return new Promise((__, reject) => signal.addEventListener('abort', () => reject(new Error('x'))))
      mostHonest = Math.max(mostHonest, ++honest)
      await wait(clock, MEASURING, NEVER)
      honest--
      return { vote: { signer: validator.publicKey, signature: validator.sign('vote', bodyBytes) } }
    })
  }
  await using set = applicantOf({
    network: fixture.network,
    key,
    profile: { ...profileOf(fixture, VALIDATORS), roles: ['relay'], packets: packetsOf(VALIDATORS) },
    rpc: node.rpc,
    clock,
  })
  const { applicant, stop } = set
  await advance(clock, forMs)
  const certified = applicant.certificate !== undefined
  stop.abort()
  await advance(clock, MEASURING)
  return { certified, mostHonest }
}

const HONEST_MS = (VALIDATORS - SILENT) * MEASURING

test('validators that say nothing hold up a node that is asked by one at a time for 3 s each', async () => {
  assert.deepEqual(await apply('none', HONEST_MS + SILENT * 3_000 + 1_000), { certified: true, mostHonest: 1 })
})

test('validators that challenge it and say nothing then hold it up for 11 s each', async () => {
  assert.deepEqual(await apply('own', HONEST_MS + SILENT * 11_000 + 1_000), { certified: true, mostHonest: 1 })
})

test('a stranger that challenges it in the name of silent validators makes them cost no more', async () => {
  const forMs = HONEST_MS + SILENT * 3_000 + 1_000
  assert.deepEqual(await apply('of a stranger', forMs), { certified: true, mostHonest: 1 })
})
