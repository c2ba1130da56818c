import { writeFileSync } from 'node:fs'
import { concatBytes, toHex } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import { receiptChallenge } from '../../src/receipts/receipt-epoch.ts'
import { makeSpend } from '../../src/receipts/spend.ts'

/** Writes the vector of docs/specs/receipts.md. The authenticator is none: what binds a token to its payee does not look at it. */
const seed = new Uint8Array(32).fill(1)
const payee = new SigningKey(new Uint8Array(32).fill(2)).publicKey
const issuer = new SigningKey(new Uint8Array(32).fill(3)).id
const epoch = 20_000
const networkId = 'test'
const challenge = receiptChallenge(networkId, issuer, epoch)
const token = concatBytes([
  Uint8Array.of(0, 2),
  new SigningKey(seed).publicKey,
  challenge,
  new Uint8Array(32).fill(4),
  new Uint8Array(256).fill(5),
])
const vector = {
  networkId,
  issuer,
  epoch,
  challengeDigest: toHex(challenge),
  seed: toHex(seed),
  payee: toHex(payee),
  token: toHex(token),
  spend: toHex(makeSpend({ epoch, seed, token }, payee)),
}
writeFileSync(new URL('receipts.json', import.meta.url), `${JSON.stringify(vector, undefined, 2)}\n`)
