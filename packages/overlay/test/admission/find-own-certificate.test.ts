import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import type { SigningKey } from '@weft/crypto'
import { toWireCertificate } from '../../src/admission/certificate.ts'
import { findOwnCertificate } from '../../src/admission/find-own-certificate.ts'
import { BEGIN, advance, certificateOf, testNetwork } from '../fixtures.ts'
import { MemoryNetwork } from '../memory-network.ts'

const fixture = testNetwork(4, 2)
const self = fixture.keys[4] as SigningKey
type Answer = 'none' | 'silent' | { readonly epoch: number; readonly index?: number }

async function find(answers: readonly Answer[], abort = false): Promise<number | undefined | 'aborted'> {
  const clock = new VirtualClock(BEGIN)
  const network = new MemoryNetwork(clock)
  const { rpc } = network.add(self.id)
  for (const [at, answer] of answers.entries()) {
    network.add((fixture.keys[at] as SigningKey).id).rpc.handle('map.certificates', async (_, __, signal) => {
      if (answer === 'none') return { certificates: [] }
      if (answer === 'silent')
        return new Promise((___, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))))
      const certificate = certificateOf(fixture, answer.index ?? 4, { issuedEpoch: answer.epoch })
      return { certificates: [toWireCertificate(certificate)] }
    })
  }
  const stop = new AbortController()
  const found = findOwnCertificate({ network: fixture.network, self: self.id, rpc }, stop.signal).then(
    (body) => body?.issuedEpoch,
    () => 'aborted' as const,
  )
  await advance(clock, 100)
  if (abort) stop.abort()
  await advance(clock, 60_000)
  return found
}

test('the newest that any validator has is found, of the node itself only', async () => {
  assert.equal(await find([{ epoch: 1 }, { epoch: 3 }, { epoch: 2 }, 'none']), 3)
  assert.equal(await find(['none', { epoch: 9, index: 5 }, { epoch: 2 }, 'none']), 2)
  assert.equal(await find(['none', 'none', 'none', 'none']), undefined)
})

test('validators are asked at once: none waits for a silent one to be asked', async () => {
  const clock = new VirtualClock(BEGIN)
  const network = new MemoryNetwork(clock)
  const { rpc } = network.add(self.id)
  const asked: number[] = []
  for (const [at, validator] of fixture.keys.slice(0, 4).entries())
    network.add(validator.id).rpc.handle('map.certificates', () => {
      asked.push(at)
      return new Promise(() => {})
    })
  void findOwnCertificate({ network: fixture.network, self: self.id, rpc }, new AbortController().signal)
  await advance(clock, 100)
  assert.deepEqual(
    asked.toSorted((a, b) => a - b),
    [0, 1, 2, 3],
  )
})

test('it ends when it is told to', async () => {
  assert.equal(await find(['silent', 'none', 'none', { epoch: 1 }], true), 'aborted')
})
