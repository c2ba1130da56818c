import { writeFileSync } from 'node:fs'
import { toHex } from '@weft/core'
import { type Bridge, formatBridgeLine } from '../../src/bridge-line.ts'
import { encodeEndpoint } from '../../src/endpoint.ts'
import { makePass } from '../../src/pass.ts'
import { pinOf } from '../../src/pin.ts'
import { TEST_CERTIFICATE } from '../test-identity.ts'

// Run: bin/node packages/bridge/test/vectors/generate-bridge.ts

const counted = (from: number, length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => (from + at) & 255)

const bridges: readonly Bridge[] = [
  { endpoint: { host: '192.0.2.1', port: 443 }, serverName: '' },
  { endpoint: { host: '2001:db8::1', port: 8443 }, serverName: 'www.example.org' },
].map((each) => ({ ...each, id: counted(1, 8), secret: counted(32, 32), pin: pinOf(TEST_CERTIFICATE) }))

const binding = counted(128, 32)
const targets = [
  { host: '198.51.100.7', port: 4780 },
  { host: '2001:db8:7::2', port: 443 },
]

const vectors = {
  about: 'docs/specs/bridge.md; written by generate-bridge.ts. Bytes are hexadecimal.',
  certificate: TEST_CERTIFICATE,
  pin: toHex(pinOf(TEST_CERTIFICATE)),
  lines: bridges.map((bridge) => ({
    endpoint: bridge.endpoint,
    endpointBytes: toHex(encodeEndpoint(bridge.endpoint)),
    id: toHex(bridge.id),
    secret: toHex(bridge.secret),
    pin: toHex(bridge.pin),
    serverName: bridge.serverName,
    line: formatBridgeLine(bridge),
  })),
  passes: targets.map((target) => ({
    id: toHex(counted(1, 8)),
    secret: toHex(counted(32, 32)),
    binding: toHex(binding),
    target,
    targetBytes: toHex(encodeEndpoint(target)),
    pass: makePass({ id: counted(1, 8), secret: counted(32, 32) }, binding, target),
  })),
}
writeFileSync(new URL('bridge.json', import.meta.url), `${JSON.stringify(vectors, undefined, 2)}\n`)
