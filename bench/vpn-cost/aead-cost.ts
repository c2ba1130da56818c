import { Packet } from '@weft/onion'
import { CELL, movedSpan, nestedSpan } from '../../packages/onion/src/packet/span.ts'
import { loadOpenSslAes } from '../../packages/vpn/src/aead/open-ssl-aes.ts'
import type { Place } from './route-hops.ts'

const PACKETS = 256
const ROUNDS = 400
const KEY = new Uint8Array(32).fill(7)

/** µs of AEAD and header protection for a cell at each place of a route of three hops. */
export type AeadCost = Readonly<Record<Place, number>>

/** By AES-256, which the suite `auto` is on machines that have instructions for it. */
export async function aeadCost(): Promise<AeadCost> {
  const { gcm, mask } = await loadOpenSslAes()
  // As many slots as a turn has, so that their bytes come from memory as they do at a node.
  const slots = Array.from({ length: PACKETS }, () => new Packet())
  const through = new Packet()
  const [link, header] = [gcm(KEY), mask(KEY)]
  const layers = [gcm(KEY), gcm(KEY), gcm(KEY)] as const
  const seal = (slot: Packet): void => {
    link.seal(slot, slot, CELL)
    header.of(slot)
  }
  const each = (run: (slot: Packet) => void): number => {
    const round = (): void => {
      for (const slot of slots) run(slot)
    }
    for (let at = 0; at < ROUNDS / 10; at++) round()
    const before = process.cpuUsage()
    for (let at = 0; at < ROUNDS; at++) round()
    const { user, system } = process.cpuUsage(before)
    return (user + system) / (ROUNDS * PACKETS)
  }
  // A wrong tag takes as long to find out as a right one.
  const passOn = (depth: 0 | 1): number =>
    each((slot) => {
      header.of(slot)
      link.open(slot, slot, CELL)
      layers[depth].seal(through, slot, movedSpan(depth))
      seal(through)
    })
  const costs = {
    entry: passOn(0),
    relay: passOn(1),
    exit: each((slot) => {
      layers[2].seal(slot, slot, nestedSpan(2))
      seal(slot)
    }),
    client: each((slot) => {
      header.of(slot)
      link.open(slot, slot, CELL)
      for (const [depth, layer] of layers.entries()) layer.open(slot, slot, nestedSpan(depth))
    }),
  }
  for (const aead of [link, ...layers]) aead.wipe()
  header.wipe()
  return costs
}
