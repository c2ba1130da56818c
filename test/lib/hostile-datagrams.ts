import { type Socket, createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type Random, randomInt } from '@weft/core'

/** What is done to a packet that was seen on the wire. */
export const MUTATIONS = {
  replayed: (packet: Buffer) => packet,
  flipped: (packet: Buffer, random: Random) => {
    const changed = Buffer.from(packet)
    changed[randomInt(random, packet.length)]! ^= 1 << randomInt(random, 8)
    return changed
  },
  truncated: (packet: Buffer, random: Random) => packet.subarray(0, randomInt(random, packet.length)),
  oversized: (packet: Buffer, random: Random) => Buffer.concat([packet, random.bytes(1 + randomInt(random, 600))]),
  'made up behind a true receiver': (packet: Buffer, random: Random) =>
    Buffer.concat([packet.subarray(0, 4), random.bytes(packet.length - 4)]),
  'made up': (packet: Buffer, random: Random) => Buffer.from(random.bytes(packet.length)),
} as const satisfies Record<string, (packet: Buffer, random: Random) => Buffer>

/** Datagrams between two looks at the clock; a receiver's buffer holds more. */
const BURST = 64

/** Sends `count` datagrams to a port of 127.0.0.1, each made of one of `packets`, from the port `from`. */
export async function sendHostile(
  port: number,
  packets: readonly Buffer[],
  mutate: (packet: Buffer, random: Random) => Buffer,
  count: number,
  random: Random,
  from: number,
): Promise<void> {
  const socket = createSocket('udp4')
  socket.bind(from, '127.0.0.1')
  await once(socket, 'listening')
  socket.connect(port, '127.0.0.1')
  await once(socket, 'connect')
  for (let sent = 0; sent < count; sent += BURST) {
    const burst = Array.from({ length: Math.min(BURST, count - sent) }, () =>
      send(socket, mutate(packets[randomInt(random, packets.length)] as Buffer, random)),
    )
    await Promise.all(burst)
  }
  socket.close()
}

function send(socket: Socket, bytes: Buffer): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  socket.send(bytes, (error) => (error ? reject(error) : resolve()))
  return promise
}
