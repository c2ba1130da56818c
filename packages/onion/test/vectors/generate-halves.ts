/** Writes halves.json anew: `bin/node packages/onion/test/vectors/generate-halves.ts`. Only when the format changes. */
import { writeFileSync } from 'node:fs'
import { toHex } from '@weft/core'
import { HALF_SIZE, HalfWriter } from '../../src/packet/packet-halves.ts'

const counted = (length: number, first: number): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => (first + at) & 255)

const [random, packet] = [counted(12, 202), counted(1440, 7)]
const halves = new Uint8Array(2 * HALF_SIZE)
new HalfWriter({ bytes: (length) => Uint8Array.from({ length }, (_, at) => random[at % 12] as number) }).write(
  packet,
  halves,
  0,
)
const vector = {
  random: toHex(random),
  packet: toHex(packet),
  halves: [toHex(halves.subarray(0, HALF_SIZE)), toHex(halves.subarray(HALF_SIZE))],
}
writeFileSync(new URL('halves.json', import.meta.url), `${JSON.stringify(vector, undefined, 2)}\n`)
