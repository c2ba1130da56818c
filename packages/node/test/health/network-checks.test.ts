import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DidKey, SigningKey } from '@weft/crypto'
import { type NetworkFile, parseNetworkFile } from '@weft/overlay'
import { distinctFaults } from '../../src/health/distinct-faults.ts'
import type { NetworkChecked } from '../../src/health/network-checked.ts'
import { networkChecks } from '../../src/health/network-checks.ts'
import { FakeOverlay } from '../support/fake-overlay.ts'

function networkOf(validators: number, changes: object = {}): NetworkFile {
  const list = Array.from({ length: validators }, () => ({
    id: SigningKey.generate().id,
    addresses: ['/ip4/192.0.2.1/tcp/4780'],
    roles: ['validator'],
    family: 'v',
  }))
  return parseNetworkFile(JSON.stringify({ schemaVersion: 1, name: 'net', createdAt: 1, validators: list, ...changes }))
}

function check(name: string, changes: Partial<NetworkChecked> = {}) {
  const overlay = new FakeOverlay('did:key:zself')
  const checks = networkChecks({
    overlay,
    networkFile: networkOf(4),
    roles: ['storage', 'relay'],
    ports: { api: 7780, overlay: 4780, packets: 4782 },
    listen: { host: '0.0.0.0', declared: [] },
    storageQuota: 10,
    energy: undefined,
    ...changes,
  })
  return checks.find((one) => one.name === name) ?? assert.fail(`no check ${name}`)
}

test('who is not reached reads what each validator saw, and which ports to open', () => {
  const overlay = new FakeOverlay('did:key:zself')
  assert.match(check('reach', { overlay }).tried ?? '', /no validator has dialled/)
  const unreached = {
    validator: 'did:key:zFirst111' as DidKey,
    code: 'E_ADMISSION_UNREACHABLE',
    cause: 'Not there.',
    fix: 'x',
  }
  const skewed = { validator: 'did:key:zSecond22' as DidKey, code: 'E_CLOCK_SKEW', cause: 'A day off.', fix: 'y' }
  overlay.admissionState = { state: 'applying', since: 1, votes: 0, quorum: 3, faults: [unreached, skewed] }
  const { fault } = check('reach', { overlay })
  assert.equal(fault?.code, 'E_ADMISSION_UNREACHABLE')
  assert.match(fault.cause, /Validator First111: Not there\./)
  assert.match(fault.fix, /Open TCP 4780 and UDP 4782 for other nodes in the firewall .* network\.announce/)
  assert.deepEqual(check('clock', { overlay }).fault, { code: 'E_CLOCK_SKEW', cause: 'A day off.', fix: 'y' })
  overlay.admissionState = { state: 'certified', epoch: 1, expiresAt: 2, inMap: true }
  const self = overlay.memberList[0] ?? assert.fail('no members')
  assert.match(check('reach', { overlay: new FakeOverlay(self.id) }).tried ?? '', /dialled back by a quorum/)
  assert.deepEqual([check('reach', { overlay }).fault, check('clock', { overlay }).fault], [undefined, undefined])
})

test('a node that others are to reach by IPv6 and that listens for IPv4 alone is told so, and what to set', () => {
  const six = '2001:db8::1'
  const { fault } = check('ports', { listen: { host: '0.0.0.0', declared: ['192.0.2.1', six] } })
  assert.equal(fault?.code, 'E_LISTEN_VERSION')
  assert.match(fault.cause, /at 2001:db8::1, and it listens for IPv4 only/)
  assert.match(fault.fix, /network\.listen_host to "::"/)
  assert.equal(check('ports', { listen: { host: six, declared: ['192.0.2.1'] } }).fault?.code, 'E_LISTEN_VERSION')
  for (const listen of [
    { host: '::', declared: ['192.0.2.1', six] },
    { host: six, declared: [six] },
    { host: '0.0.0.0', declared: ['192.0.2.1'] },
  ])
    assert.equal(check('ports', { listen }).fault, undefined)
  assert.equal(check('ports', { roles: [], listen: { host: '0.0.0.0', declared: [six] } }).fault, undefined)
})

test('a client needs no address and opens no port', () => {
  assert.match(check('reach', { roles: [] }).tried ?? '', /a client needs no address/)
  assert.match(check('ports', { roles: [] }).tried ?? '', /a client listens for nobody/)
  assert.equal(check('ports').tried, 'API on 127.0.0.1:7780; TCP 4780 and UDP 4782 for other nodes')
  const entry = check('ports', { roles: ['entry'] })
  assert.equal(entry.tried, 'API on 127.0.0.1:7780; TCP 4780 and 4782 and UDP 4782 for other nodes')
})

test('a node that keeps less than its role asks reads which setting to raise', () => {
  const minimums = { storage: { storageBytes: 11 }, relay: { bandwidthMbps: 10 }, exit: { storageBytes: 99 } }
  const networkFile = networkOf(4, { minimums })
  const { fault, tried } = check('roles', { networkFile })
  assert.equal(fault?.code, 'E_ROLE_MINIMUM')
  assert.match(fault.cause, /asks 11 B of a node with the role storage, and this node keeps 10 B/)
  assert.match(tried ?? '', /minimums of storage, relay, by the settings of this node/)
  const both = check('roles', { networkFile, roles: ['storage', 'exit'] }).fault
  assert.match(both?.cause ?? '', /11 B .* role storage, .* 99 B .* role exit,/)
  assert.match(both?.fix ?? '', /take storage out .* take exit out/)
  assert.equal(check('roles', { networkFile, storageQuota: 11 }).fault, undefined)
  assert.equal(check('roles', { networkFile, roles: ['mailbox'] }).fault, undefined)
})

test('a role that validators measured too little for is a fault, with what they found', () => {
  const minimums = { relay: { bandwidthMbps: 10 } }
  const networkFile = networkOf(4, { minimums })
  const overlay = new FakeOverlay('did:key:zself')
  const demotion = {
    role: 'relay',
    code: 'E_ROLE_MINIMUM',
    cause: 'no more than 3 holds',
    fix: 'a faster line',
  } as const
  overlay.admissionState = { state: 'certified', epoch: 1, expiresAt: 2, inMap: true, demoted: [demotion] }
  const { role: _role, ...fault } = demotion
  assert.deepEqual(check('roles', { networkFile, overlay }).fault, fault)
  overlay.admissionState = { state: 'certified', epoch: 1, expiresAt: 2, inMap: true }
  assert.equal(check('roles', { networkFile, overlay }).fault, undefined)
})

test('a map from a time to come is a fault of the clock', () => {
  const overlay = new FakeOverlay('did:key:zself')
  const fault = { code: 'E_CLOCK_SKEW', cause: 'Set back.', fix: 'y' }
  overlay.mapStatus = { ...overlay.mapStatus, fault }
  assert.deepEqual(check('clock', { overlay }).fault, fault)
  overlay.mapStatus = { ...overlay.mapStatus, fault: { ...fault, code: 'E_MAP_STALE' } }
  assert.equal(check('clock', { overlay }).fault, undefined)
})

test('what several checks see is one fault, in the words of the first', () => {
  const fault = (code: string, cause: string) => ({ code, cause, fix: 'x' })
  const faults = distinctFaults([
    { name: 'admission', fault: fault('E_A', 'long') },
    { name: 'map', fault: undefined },
    { name: 'clock', fault: fault('E_A', 'short') },
    { name: 'vpn', fault: fault('E_B', 'other') },
  ])
  assert.deepEqual(faults, [fault('E_A', 'long'), fault('E_B', 'other')])
})

test('of minimums that nobody measured yet it is not said that they hold, and of a refusal why', () => {
  const networkFile = networkOf(4, { minimums: { relay: { bandwidthMbps: 10 } } })
  const overlay = new FakeOverlay('did:key:zself')
  const other = { validator: 'did:key:zFirst111' as DidKey, code: 'E_PROOF_NEEDED', cause: 'No invitation.', fix: 'x' }
  const retryAt = 9
  for (const faults of [[], [other]]) {
    overlay.admissionState = { state: 'refused', fault: other, faults, retryAt }
    const { tried, fault } = check('roles', { networkFile, overlay })
    assert.match(tried ?? '', /by the settings of this node: no quorum of validators has measured it yet/)
    assert.equal(fault, undefined)
  }
  const short = { ...other, code: 'E_ROLE_MINIMUM', cause: 'no more than 3 holds', fix: 'a faster line' }
  overlay.admissionState = { state: 'refused', fault: short, faults: [other, short], retryAt }
  const { tried, fault } = check('roles', { networkFile, overlay })
  assert.match(tried ?? '', /as validators measured/)
  assert.deepEqual(fault, { code: 'E_ROLE_MINIMUM', cause: 'no more than 3 holds', fix: 'a faster line' })
})
