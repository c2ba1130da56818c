import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { toHex } from '@weft/core'
import { SigningKey, sha256 } from '@weft/crypto'
import { LeaseSchema, create, encodeMessage } from '@weft/wire'
import { encodeLeaseBody } from '../../src/lease/lease-body.ts'
import { leaseEnd } from '../../src/lease/lease.ts'
import { networkOf } from '../../src/network/network.ts'
import { parseNetworkFile } from '../../src/network/network-file.ts'

/** Writes leases.json: `node generate-leases.ts`. The network is that of network-file.json; validators have seeds 32 times 1 to 4. */
const { file } = JSON.parse(readFileSync(join(import.meta.dirname, 'network-file.json'), 'utf8')) as { file: object }
const network = networkOf(parseNetworkFile(JSON.stringify(file)))
const holder = new SigningKey(new Uint8Array(32).fill(6))
const issuedEpoch = 7
const body = encodeLeaseBody({
  network: network.id,
  key: holder.publicKey,
  uses: ['forward', 'compute'],
  issuedEpoch,
  expiresAt: leaseEnd(network, issuedEpoch),
})
const votes = [1, 2, 3].map((byte) => {
  const validator = new SigningKey(new Uint8Array(32).fill(byte))
  return { signer: validator.publicKey, signature: validator.sign('lease', body) }
})
writeFileSync(
  join(import.meta.dirname, 'leases.json'),
  `${JSON.stringify(
    {
      description:
        'The lease of a client, seed 32 times the byte 6, in epoch 7 of the network of network-file.json, by its first three validators (docs/specs/leases.md).',
      network: network.id,
      holder: holder.id,
      uses: ['forward', 'compute'],
      issuedEpoch,
      expiresAt: leaseEnd(network, issuedEpoch),
      body: toHex(body),
      hash: toHex(sha256(body)),
      votes: votes.map(({ signer, signature }) => ({ signer: toHex(signer), signature: toHex(signature) })),
      message: toHex(encodeMessage(LeaseSchema, create(LeaseSchema, { body, votes }))),
    },
    undefined,
    2,
  )}\n`,
)
