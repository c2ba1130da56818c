/** Writes carriage.json anew: `bin/node packages/vpn/test/vectors/generate-carriage.ts`. Only when the format changes. */
import { writeFileSync } from 'node:fs'
import { toHex } from '@weft/core'
import { FRAME_BYTES, writeFrame } from '../../src/carriage/frame-reader.ts'
import { writePreface } from '../../src/carriage/preface.ts'

const counted = (length: number, first: number): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => (first + at) & 255)

const [linkKey, flowId, packet] = [counted(32, 1), counted(16, 65), counted(1440, 7)]
const frame = new Uint8Array(FRAME_BYTES)
writeFrame(frame, 0, packet)
const vector = {
  linkKey: toHex(linkKey),
  flowId: toHex(flowId),
  preface: toHex(writePreface(flowId, linkKey)),
  packet: toHex(packet),
  frame: toHex(frame),
}
writeFileSync(new URL('carriage.json', import.meta.url), `${JSON.stringify(vector, undefined, 2)}\n`)
