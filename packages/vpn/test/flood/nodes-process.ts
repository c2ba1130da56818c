/**
 * Three nodes in a process, each at an address of its own: `bin/node nodes-process.ts`. Tells who they are in a line of JSON
 * ({@link FloodedNodes}), and for each line that it is sent how the entry is ({@link EntryState}).
 */
import { createServer } from 'node:http'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { toHex } from '@weft/core'
import { openNode } from '../engine/open-node.ts'

export interface FloodedNodes {
  /** Each with its keys in hex. */
  readonly members: readonly {
    readonly address: string
    readonly port: number
    readonly key: string
    readonly linkKey: string
    readonly onionKey: string
  }[]
  /** Port of a web server on 127.0.0.1. */
  readonly target: number
}

export interface EntryState {
  readonly links: number
  readonly circuits: number
  readonly dropped: Readonly<Record<string, number>>
  /** Bytes. */
  readonly rss: number
}

const say = (message: FloodedNodes | EntryState): void => void process.stdout.write(`${JSON.stringify(message)}\n`)

const nodes = [
  await openNode(1, ['entry'], '10.77.0.1'),
  await openNode(2, ['relay'], '10.77.0.2'),
  await openNode(3, ['exit'], '10.77.0.3'),
]
const members = nodes.map(({ member }) => member)
for (const { engine } of nodes) engine.setMembers(members)
const server = createServer((_request, response) => response.end('here'))
server.listen(0, '127.0.0.1')
await once(server, 'listening')
say({
  members: members.map(({ endpoint, key, linkKey, onionKey }) => ({
    ...endpoint,
    key: toHex(key),
    linkKey: toHex(linkKey),
    onionKey: toHex(onionKey),
  })),
  target: (server.address() as { port: number }).port,
})
createInterface({ input: process.stdin })
  .on('line', () => {
    const carried = nodes[0]?.engine.status().carried
    say({
      links: carried?.links ?? 0,
      circuits: carried?.circuits ?? 0,
      dropped: carried?.packetsDropped ?? {},
      rss: process.memoryUsage.rss(),
    })
  })
  .on('close', () => process.exit(0))
