/** Writes link.json anew: `bin/node packages/onion/test/vectors/generate-link.ts`. Only when the format changes. */
import { writeFileSync } from 'node:fs'
import { toHex } from '@weft/core'
import { type LinkVectorInputs, runLinkVector } from '../link/link-vector.ts'

const counted = (length: number, first: number): string =>
  toHex(Uint8Array.from({ length }, (_, i) => (first + i) & 255))

const inputs: LinkVectorInputs = {
  networkId: 'vectors',
  initiatorSecretKey: counted(32, 1),
  responderSecretKey: counted(32, 33),
  initiatorEphemeral: counted(32, 65),
  responderEphemeral: counted(32, 97),
  initiationNonce: counted(12, 129),
  responseNonce: counted(12, 141),
  cookie: counted(16, 200),
  cookieNonce: counted(12, 153),
  kemSeed: counted(64, 160),
  initiatorIndex: 0x0102_0304,
  responderIndex: 0xf1f2_f3f4,
  time: 1_700_000_000_000,
  part: 5,
  circuitId: 0x8000_0001,
  body: counted(1404, 7),
  content: '07',
  suites: ['chacha20-poly1305'],
}
const outputs = runLinkVector(inputs)
const { kemCiphertext, kemSharedKey } = outputs
const withAes: LinkVectorInputs = { ...inputs, suites: ['chacha20-poly1305', 'aes-256-gcm'], kemCiphertext, kemSharedKey }
const vectors = [
  { inputs, outputs },
  { inputs: withAes, outputs: runLinkVector(withAes) },
]
writeFileSync(new URL('link.json', import.meta.url), `${JSON.stringify(vectors, undefined, 2)}\n`)
