/**
 * Those who are not of the flood: `bin/node honest-process.ts NODES` with what `nodes-process.ts` told. A client makes a route and says `ready`; at the
 * first line that it is sent, and until all are done, it fetches pages over that route, while strangers, each from an address of its own, shake hands with the
 * entry. Then it tells what came of it ({@link HonestResult}).
 */
import assert from 'node:assert/strict'
import { createInterface } from 'node:readline'
import { fromHex } from '@weft/core'
import { toDidKey } from '@weft/crypto'
import type { Role } from '@weft/overlay'
import { get, openNode } from '../engine/open-node.ts'
import { makeMember } from '../route/make-member.ts'
import { until } from '../service/until.ts'
import type { FloodedNodes } from './nodes-process.ts'

export interface HonestResult {
  /** Strangers whose link came up, how many of them at once, and why others' did not. */
  readonly linked: number
  readonly atOnce: number
  readonly faults: readonly string[]
  /** Pages over the route that was there, and what went wrong with others. */
  readonly pages: number
  readonly lost: readonly string[]
}

const STRANGERS = 100
const AT_ONCE = 5
/** Who gets no link within five seconds tries again, as a client does that builds another leg. */
const TRIES = 4
const ROLES: readonly Role[] = ['entry', 'relay', 'exit']

const nodes = JSON.parse(process.argv[2] ?? '') as FloodedNodes
const members = nodes.members.map(({ address, port, key, linkKey, onionKey }, at) =>
  makeMember(at + 1, [ROLES[at] as Role], {
    id: toDidKey(fromHex(key)),
    key: fromHex(key),
    endpoint: { address, port },
    linkKey: fromHex(linkKey),
    onionKey: fromHex(onionKey),
  }),
)
const entry = members[0]
assert.ok(entry !== undefined)
const { engine: client } = await openNode(99, [], '10.77.1.1')
client.setMembers(members)
await client.up()
await until(() => client.status().state === 'connected')
const proxy = client.status().proxy?.port ?? 0
process.stdout.write('ready\n')

const lines = createInterface({ input: process.stdin })
lines.once('line', () => void work())

async function work(): Promise<void> {
  assert.ok(entry !== undefined)
  let [linked, atOnce, pages, next] = [0, 0, 0, 0]
  const done = new AbortController()
  const faults: string[] = []
  const lost: string[] = []
  const fetching = (async () => {
    while (!done.signal.aborted) {
      try {
        assert.equal((await get(proxy, nodes.target)).toString(), 'here')
        pages++
      } catch (error) {
        lost.push(String(error))
      }
    }
  })()
  const strangers = async (): Promise<void> => {
    while (next < STRANGERS) {
      const number = next++
      const { engine } = await openNode(100, [], `10.77.250.${1 + number}`)
      for (let tries = 1; tries <= TRIES; tries++) {
        try {
          await engine.probe({ endpoint: entry.endpoint, linkKey: entry.linkKey })
          linked++
          if (tries === 1) atOnce++
          break
        } catch (error) {
          if (tries === TRIES) faults.push(String(error))
        }
      }
      await engine.close()
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, strangers))
  done.abort()
  await fetching
  const result: HonestResult = { linked, atOnce, faults, pages, lost }
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0))
}
