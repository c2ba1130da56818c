import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SigningKey, shortId } from '@weft/crypto'
import { type Reach, parseNetworkFile } from '@weft/overlay'
import type { NetworkChecked } from '../../src/health/network-checked.ts'
import { reachCheck } from '../../src/health/reach-check.ts'
import { FakeOverlay } from '../support/fake-overlay.ts'

const [first, second, validator] = Array.from({ length: 3 }, () => SigningKey.generate().id) as [
  `did:key:z${string}`,
  `did:key:z${string}`,
  `did:key:z${string}`,
]
const networkFile = parseNetworkFile(
  JSON.stringify({
    schemaVersion: 1,
    name: 'net',
    createdAt: 1,
    validators: [{ id: validator, addresses: ['/ip4/192.0.2.1/tcp/1'], roles: ['validator'], family: 'v' }],
  }),
)
const ports = { api: 7780, overlay: 4780, overlayWebSocket: 4781 }
const closed = { code: 'E_REACH_X', cause: 'Closed.', fix: 'Forward TCP port 4780.' }
const relayed: Reach = { state: 'relayed', addresses: ['/p2p/a', '/p2p/b'], through: [first, second], fault: closed }

function check(overlay: FakeOverlay, reach: Reach, roles: NetworkChecked['roles'] = ['storage']) {
  overlay.reachState = reach
  const listen = { host: '0.0.0.0', declared: [] }
  return reachCheck({ overlay, networkFile, roles, ports, listen, storageQuota: 1, energy: undefined })
}

test('over relays is no fault; the relays are named, and what to open is worth a word', () => {
  const overlay = new FakeOverlay('did:key:zself')
  const { tried, fault, notice } = check(overlay, relayed)
  assert.match(
    tried ?? '',
    new RegExp(`over the relays …${shortId(first)} and …${shortId(second)}, where no validator`),
  )
  assert.deepEqual([fault, notice], [undefined, closed])
  const one = check(overlay, { ...relayed, through: [first] })
  assert.match(one.tried ?? '', new RegExp(`over the relay …${shortId(first)},`))
})

test('validators have dialled back over the relays of the certificate, and over no others', () => {
  const self = new FakeOverlay('did:key:zself').memberList[0] ?? assert.fail('no members')
  const overlay = new FakeOverlay(self.id)
  overlay.memberList[0] = { ...self, addresses: ['/p2p/a', '/p2p/b'] }
  assert.match(check(overlay, relayed).tried ?? '', /dialled back by a quorum of validators in epoch/)
  overlay.memberList[0] = { ...self, addresses: ['/p2p/a', '/p2p/c'] }
  assert.match(check(overlay, relayed).tried ?? '', /where no validator has dialled/)
})

test('who is reached by nobody is at fault, and reads what to open', () => {
  const { tried, fault } = check(new FakeOverlay('did:key:zself'), { state: 'unreachable', fault: closed })
  assert.match(tried ?? '', /dial-back by other nodes, which failed/)
  assert.deepEqual(fault, closed)
})

test('a node that asks others has no fault yet', () => {
  const { tried, fault } = check(new FakeOverlay('did:key:zself'), { state: 'asking' })
  assert.deepEqual([fault, /are asked to dial this one back/.test(tried ?? '')], [undefined, true])
})

test('what validators did not find counts before what other nodes found', () => {
  const overlay = new FakeOverlay('did:key:zself')
  const refusal = { validator, code: 'E_ADMISSION_UNREACHABLE', cause: 'Not there.', fix: 'x' }
  overlay.admissionState = { state: 'applying', since: 1, votes: 0, quorum: 1, faults: [refusal] }
  const { fault } = check(overlay, { state: 'direct', addresses: ['/ip4/192.0.2.9/tcp/4780'] })
  assert.equal(fault?.code, 'E_ADMISSION_UNREACHABLE')
  assert.match(fault.fix, /Open TCP 4780 and 4781 for other nodes/)
  assert.equal(check(overlay, { state: 'client' }, []).fault, undefined)
})
