import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SigningKey } from '@weft/crypto'
import type { AdmissionCase } from '../../../src/admission/admission-check.ts'
import { placeCheck } from '../../../src/admission/checks/place-check.ts'
import { type Network, networkOf } from '../../../src/network/network.ts'
import { parseNetworkFile } from '../../../src/network/network-file.ts'
import { codeOf } from '../../fixtures.ts'

const applicant = SigningKey.generate()

/** A network of real places whose validators have these addresses. */
function networkAt(...hosts: readonly string[]): Network {
  const validators = hosts.map((host) => ({
    id: SigningKey.generate().id,
    addresses: [multiaddrOf(host)],
    roles: ['validator'],
    family: 'v',
  }))
  return networkOf(parseNetworkFile(JSON.stringify({ schemaVersion: 1, name: 'real', createdAt: 1, validators })))
}

function multiaddrOf(host: string): string {
  return `/${host.includes(':') ? 'ip6' : 'ip4'}/${host}/tcp/4780`
}

function verdict(network: Network, ...hosts: readonly string[]): Promise<string> {
  const body = { id: applicant.id, addresses: hosts.map(multiaddrOf), diversityAddress: hosts[0], simulated: false }
  const admission = { network, application: { body } } as unknown as AdmissionCase
  return codeOf(() => placeCheck.run(admission, AbortSignal.timeout(1_000)))
}

test('a global address holds', async () => {
  assert.equal(await verdict(networkAt('192.0.2.1'), '203.0.113.7', '2a00::1'), 'nothing')
})

test('no validator dials its own machine, its own site, its link or a group', async () => {
  const network = networkAt('192.0.2.1')
  const hosts = ['127.0.0.1', '10.0.0.1', '192.168.1.1', '169.254.169.254', '224.0.0.1', '0.0.0.0']
  for (const host of [...hosts, '::1', 'fe80::1', 'fd00::1', '64:ff9b::7f00:1', '2002:7f00:1::1'])
    assert.equal(await verdict(network, '203.0.113.7', host), 'E_ADMISSION_PLACE', host)
})

test('what is no canonical address does not hold either, should it ever get here', async () => {
  for (const host of ['::ffff:127.0.0.1', '::ffff:7f00:1', '0:0:0:0:0:0:0:0001'])
    assert.equal(await verdict(networkAt('192.0.2.1'), '203.0.113.7', host), 'E_ADMISSION_PLACE', host)
})

test('a network of one site, by the addresses of its validators, takes private addresses and no special ones', async () => {
  const site = networkAt('10.0.0.1', '192.168.0.1')
  assert.equal(await verdict(site, '10.0.0.9'), 'nothing')
  for (const host of ['127.0.0.1', '169.254.169.254', 'fe80::1'])
    assert.equal(await verdict(site, '10.0.0.9', host), 'E_ADMISSION_PLACE', host)
  assert.equal(await verdict(networkAt('10.0.0.1', '192.0.2.1'), '10.0.0.9'), 'E_ADMISSION_PLACE')
})

test('a network of one machine takes loopback addresses, and one validator elsewhere makes it none', async () => {
  const machine = networkAt('127.0.0.1', '::1')
  assert.equal(await verdict(machine, '127.0.0.2'), 'nothing')
  for (const host of ['10.0.0.1', '169.254.169.254', '0.0.0.0'])
    assert.equal(await verdict(machine, '127.0.0.1', host), 'E_ADMISSION_PLACE', host)
  assert.equal(await verdict(networkAt('127.0.0.1', '192.0.2.1'), '127.0.0.1'), 'E_ADMISSION_PLACE')
  assert.equal(await verdict(networkAt('127.0.0.1', '10.0.0.1'), '127.0.0.1'), 'E_ADMISSION_PLACE')
})
