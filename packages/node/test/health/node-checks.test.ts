import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Fault } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { AdmissionState, Reach } from '@weft/overlay'
import { admissionFault, nodeChecks } from '../../src/health/node-checks.ts'
import { FakeOverlay } from '../support/fake-overlay.ts'
import { FakeStorage } from '../support/fake-storage.ts'

const vpn = { fault: undefined }
const direct: Reach = { state: 'direct', addresses: [] }
const reason = { code: 'E_CLOCK_SKEW', cause: 'The clock is a day off.', fix: 'Set the clock.' }

test('every state of admission is healthy or says why not', () => {
  const states: [AdmissionState, string | undefined][] = [
    [{ state: 'client' }, undefined],
    [{ state: 'certified', epoch: 1, expiresAt: 2, inMap: true }, undefined],
    [{ state: 'certified', epoch: 1, expiresAt: 2, inMap: false }, 'E_NOT_IN_MAP'],
    [{ state: 'applying', since: 1, votes: 2, quorum: 3, faults: [] }, 'E_ADMISSION_PENDING'],
    [{ state: 'refused', fault: reason, faults: [], retryAt: 3 }, 'E_CLOCK_SKEW'],
  ]
  for (const [state, code] of states) assert.equal(admissionFault(state, direct)?.code, code, state.state)
})

test('an applicant reads what each validator said', () => {
  const faults = [
    { validator: 'did:key:zFirst111' as DidKey, ...reason },
    { validator: 'did:key:zSecond22' as DidKey, code: 'E_NODE_UNREACHABLE', cause: 'No answer.', fix: 'Wait.' },
  ]
  for (const state of [
    { state: 'applying', since: 1, votes: 2, quorum: 3, faults },
    { state: 'refused', fault: reason, faults, retryAt: 3 },
  ] as const) {
    const { cause } = admissionFault(state, direct) ?? {}
    const first =
      state.state === 'refused'
        ? /^The clock is a day off\. Validator First111 says so\./
        : /Validator First111: E_CLOCK_SKEW: The clock is a day off\./
    assert.match(cause ?? '', first, state.state)
    assert.match(cause ?? '', /Validator Second22: E_NODE_UNREACHABLE: No answer\./, state.state)
  }
})

test('what all validators refuse a node for is said once', () => {
  const faults = ['First111', 'Second22'].map((end) => ({ validator: `did:key:z${end}` as const, ...reason }))
  const fault = { ...reason, cause: `2 of 2 validators refused, 0 voted and 2 are needed. ${reason.cause}` }
  const { cause } = admissionFault({ state: 'refused', fault, faults, retryAt: 3 }, direct) ?? {}
  assert.equal(cause, `${fault.cause} 2 validators say so.`)
})

test('a node that does not know where it is reached has not applied, and reads what to do for that', () => {
  const admission = { state: 'applying', since: 1, votes: 0, quorum: 3, faults: [] } as const
  const unreachable = admissionFault(admission, { state: 'unreachable', fault: reason })
  assert.match(unreachable?.cause ?? '', /has not applied/)
  assert.deepEqual([unreachable?.code, unreachable?.fix], ['E_ADMISSION_PENDING', reason.fix])
  const asking = admissionFault(admission, { state: 'asking' })
  assert.match(asking?.cause ?? '', /has not applied/)
  assert.match(asking?.fix ?? '', /^Wait a moment: other nodes/)
})

test('a node that reaches no one says so, and one that reaches too few for a quorum of records', () => {
  const overlay = new FakeOverlay('did:key:zself')
  const fault = (): Fault | undefined =>
    nodeChecks({ home: '/', overlay, storage: new FakeStorage(), vpn, droppedLines: () => 0 }).find(
      ({ name }) => name === 'peers',
    )?.fault
  const check = (): string | undefined => fault()?.code
  const [first, second] = overlay.memberList.map(({ id }) => id)
  overlay.peerStates.set(first!, { id: first!, state: 'unreachable', since: 1, rttMs: undefined, fault: reason })
  assert.equal(check(), 'E_PEERS_FEW')
  overlay.peerStates.delete(first!)
  assert.equal(check(), undefined)
  overlay.peerStates.set(first!, { id: first!, state: 'unreachable', since: 1, rttMs: undefined, fault: reason })
  overlay.peerStates.set(second!, { id: second!, state: 'connecting', since: 1, rttMs: undefined, fault: undefined })
  assert.equal(check(), 'E_NO_PEERS')
  // A client has another way; who offers something is called at its own address.
  assert.match(fault()?.fix ?? '', /weft bridge add/)
  overlay.admissionState = { state: 'certified', epoch: 1, expiresAt: 2, inMap: true }
  assert.equal(check(), 'E_NO_PEERS')
  assert.doesNotMatch(fault()?.fix ?? '', /bridge/)
})

test('a home that vanished, a log that cannot be written and a VPN that has a fault are faults', () => {
  const checks = nodeChecks({
    home: '/nonexistent/home',
    overlay: new FakeOverlay('did:key:zself'),
    storage: new FakeStorage(),
    vpn: { fault: reason },
    droppedLines: () => 3,
  })
  assert.deepEqual(
    checks.flatMap(({ fault }) => fault?.code ?? []),
    ['E_STATE_UNWRITABLE', 'E_LOG_DROPPED', reason.code],
  )
})

test('a node with damaged shards is healthy, and says so', () => {
  const storage = new FakeStorage()
  const checked = { home: '.', overlay: new FakeOverlay('did:key:zself'), storage, vpn, droppedLines: () => 0 }
  const check = () => nodeChecks(checked).find(({ name }) => name === 'storage')
  assert.deepEqual(check(), { name: 'storage', fault: undefined })
  storage.heldNotice = { code: 'E_SHARDS_DAMAGED', cause: 'Two are damaged.', fix: 'Check the disk.' }
  assert.deepEqual(check(), { name: 'storage', fault: undefined, notice: storage.heldNotice })
})
