import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import { networkOf, parseNetworkFile } from '@weft/overlay'
import { describeNetwork } from '../../src/routes/describe-network.ts'
import { FakeOverlay } from '../support/fake-overlay.ts'

const BEGIN = 1_800_000_000_000
const HOUR = 3_600_000

/** What is told of a network with so many validators, so many ms after its begin. */
function told(validators: number, after: number, rotateMs = 6 * HOUR, refusing: readonly number[] = []) {
  const keys = Array.from({ length: validators }, (_, at) => new SigningKey(new Uint8Array(32).fill(at + 1)))
  const file = parseNetworkFile(
    JSON.stringify({
      schemaVersion: 1,
      name: 'net',
      ...(rotateMs === 0 ? {} : { rotateMs }),
      createdAt: BEGIN,
      validators: keys.map(({ id }, at) => ({
        id,
        addresses: [`/ip4/192.0.2.${at + 1}/tcp/1`],
        roles: ['validator'],
        family: `family-${at}`,
      })),
    }),
  )
  const overlay = new FakeOverlay((keys[0] as SigningKey).id)
  overlay.currentTerm = networkOf(file).term
  const faults = refusing.map((at) => {
    return { validator: (keys[at] as SigningKey).id, code: 'E_NODE_UNREACHABLE', cause: 'No answer.', fix: 'Look.' }
  })
  if (faults.length > 0) overlay.admissionState = { state: 'applying', since: BEGIN, votes: 0, quorum: 3, faults }
  const network = { id: 'wnet', name: 'net', simulated: false }
  return describeNetwork({ network, networkFile: file, overlay, clock: new VirtualClock(BEGIN + after) })
}

test('a network tells when seats rotate next, unless none may be down', () => {
  assert.deepEqual([told(4, HOUR).nextRotation, told(4, HOUR).rotateMs], [BEGIN + 6 * HOUR, 6 * HOUR])
  assert.equal(told(4, 6 * HOUR).nextRotation, BEGIN + 12 * HOUR)
  assert.equal(told(3, HOUR).nextRotation, undefined)
  assert.equal('nextRotation' in told(3, HOUR), false)
})

test('where seats do not rotate nothing is told of it', () => {
  const file = told(4, HOUR, 0)
  assert.deepEqual([file.rotateMs, file.nextRotation], [undefined, undefined])
})

test('of validators that did not admit this node is told why', () => {
  const { validators } = told(4, HOUR, 6 * HOUR, [1, 3])
  const fault = { code: 'E_NODE_UNREACHABLE', cause: 'No answer.', fix: 'Look.' }
  assert.deepEqual(
    validators.map((one) => one.fault),
    [undefined, fault, undefined, fault],
  )
  assert.ok(!('fault' in validators[0]!))
})
