/**
 * Sends initiations that are well-formed to one node, from addresses that are not the sender's: `bin/node flood-process.ts ADDRESS PORT
 * LINK-KEY`, until its standard input ends; then tells in a line how many. To be run in a namespace in which 10.77.0.0/16 is local.
 */
import { type Socket, createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fromHex, systemClock, systemRandom } from '@weft/core'
import { LinkSet } from '@weft/onion'
import { NETWORK } from '../engine/open-node.ts'

const ADDRESSES = 400
const INITIATIONS = 1_000
/** Some 20,000 a second: a share of a machine that others use as well. `npm run test:long` sends the 50,000 of the design's goal. */
const EVERY_MS = 5
const AT_ONCE = process.env['WEFT_LONG'] === undefined ? 100 : 250

const [address = '', port = '', linkKey = ''] = process.argv.slice(2)
const initiations: Buffer[] = []
const links = new LinkSet({
  networkId: NETWORK,
  clock: systemClock,
  random: systemRandom,
  listen: false,
  send: (bytes) => initiations.push(Buffer.from(bytes)),
  onCell: () => {},
  onMessage: () => {},
  onLink: () => {},
})
// Each by a key of its own, so that none is the repetition of another.
for (let i = 0; i < INITIATIONS; i++) links.connect({ address, port: 1 + i }, fromHex(linkKey), true)

const sockets: Socket[] = []
for (let i = 0; i < ADDRESSES; i++) {
  const socket = createSocket('udp4')
  socket.bind({ address: `10.77.${10 + (i % 200)}.${1 + Math.floor(i / 200)}`, port: 0 })
  await once(socket, 'listening')
  sockets.push(socket)
}

let sent = 0
const timer = setInterval(() => {
  for (let i = 0; i < AT_ONCE; i++, sent++) {
    const [socket, bytes] = [sockets[sent % ADDRESSES], initiations[sent % INITIATIONS]]
    if (bytes !== undefined) socket?.send(bytes, Number(port), address, () => {})
  }
}, EVERY_MS)
process.stdout.write('ready\n')
createInterface({ input: process.stdin }).on('close', () => {
  clearInterval(timer)
  process.stdout.write(`${sent}\n`, () => process.exit(0))
})
