import { type Aes256, Packet, type PacketAead } from '@weft/onion'
import { CELL, movedSpan, nestedSpan } from '../../packages/onion/src/packet/span.ts'
import { ChaChaMask } from '../../packages/onion/src/packet/header-mask.ts'
import { ChaChaPackets } from '../../packages/onion/src/packet/packet-aead.ts'
import { loadOpenSslAes } from '../../packages/vpn/src/aead/open-ssl-aes.ts'

const PACKETS = 256
const ROUNDS = 400
const KEY = new Uint8Array(32).fill(7)

/** µs of AEAD and header protection for a cell at each place of a route of three hops. */
export interface AeadCost {
  readonly relay: number
  readonly exit: number
  readonly client: number
}

/** By the suite `auto` on this machine. */
export async function aeadCost(): Promise<AeadCost> {
  const aes = await loadOpenSslAes()
  return cost(aes.gcm, aes.mask)
}

export function chachaCost(): AeadCost {
  return cost(
    (key) => new ChaChaPackets(key),
    (key) => new ChaChaMask(key),
  )
}

function cost(gcm: (key: Uint8Array) => PacketAead, mask: Aes256['mask']): AeadCost {
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
  const costs = {
    // A wrong tag takes as long to find out as a right one.
    relay: each((slot) => {
      header.of(slot)
      link.open(slot, slot, CELL)
      layers[1].seal(through, slot, movedSpan(1))
      seal(through)
    }),
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
