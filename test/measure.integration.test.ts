import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeHome, startDaemonIn } from '../bench/lib/daemon-in-namespace.ts'
import { eventually } from './lib/eventually.ts'
import { findNodeProcesses } from './lib/find-node-processes.ts'
import { NatNetwork } from './lib/nat-network.ts'
import { skipWithout } from './lib/needs.ts'
import { weft, weftJson } from './lib/weft.ts'

// A network that asks for a bandwidth, of real processes on lines of different rates: what validators measure is what counts.

const BASE_PORT = 23_400
const VALIDATOR = '5.1.0.1'
const NODE = '5.2.0.1'
/** ms: a certificate is renewed in the middle third of its life, and measuring takes a few seconds. */
const RENEWAL_MS = 30_000

interface Status {
  readonly admission: {
    readonly state: string
    readonly inMap?: boolean
    readonly demoted?: readonly { readonly role: string; readonly code: string; readonly cause: string }[]
  }
}
interface Members {
  readonly members: readonly {
    readonly id: string
    readonly roles: readonly string[]
    readonly self: boolean
    readonly measured?: { readonly bandwidthMbps?: number }
  }[]
}

function homeAt(directory: string, name: string, host: string): string {
  const home = join(directory, name)
  makeHome(home, { host, publicPort: BASE_PORT, base: BASE_PORT + 10 })
  return home
}

test(
  'a node on a slow line is certified without the role that asks for more, reads why, and has it once its line is faster; then its onion keys change',
  { skip: skipWithout('root', 'nat', 'tc') },
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'weft-measure-'))
    using network = new NatNetwork()
    const [atValidator, atNode] = [network.outside('v', VALIDATOR), network.outside('n', NODE)]
    const validator = homeAt(directory, 'validator', VALIDATOR)
    const node = homeAt(directory, 'node', NODE)
    try {
      const address = `/ip4/${VALIDATOR}/tcp/${BASE_PORT}`
      await weftJson(['network', 'create', 'rates', '--address', address, '--map-epoch', '2s', '--home', validator])
      const file = join(validator, 'network.json')
      const asked = {
        ...(JSON.parse(readFileSync(file, 'utf8')) as object),
        certificateTtlMs: RENEWAL_MS,
        minimums: { relay: { bandwidthMbps: 20, lossPpm: 50_000 }, storage: { bandwidthMbps: 1 } },
      }
      writeFileSync(file, JSON.stringify(asked))
      copyFileSync(file, join(node, 'network.json'))
      network.limit(atNode, 8)
      await startDaemonIn(atValidator, validator, 'validator,storage')
      await startDaemonIn(atNode, node, 'storage,relay')

      const statusOf = (): Promise<Status> => weftJson<Status>(['status', '--home', node])
      const slow = await eventually('that it is a member', statusOf, ({ admission }) => admission.inMap === true)
      const [demotion] = slow.admission.demoted ?? []
      assert.deepEqual([demotion?.role, demotion?.code], ['relay', 'E_ROLE_MINIMUM'])
      const asks = /asks at least 20 Mbit\/s each way .* no more than (\d+) Mbit\/s each way holds/
      assert.ok(Number(asks.exec(demotion?.cause ?? '')?.[1]) <= 12, demotion?.cause ?? '')
      assert.match((await weft(['status', '--home', node])).stdout, /not as relay: .*E_ROLE_MINIMUM/)
      assert.match((await weft(['check', '--home', node])).stdout, /E_ROLE_MINIMUM/)
      const own = async (): Promise<Members['members'][number] | undefined> => {
        const { members } = await weftJson<Members>(['members', '--home', node])
        return members.find(({ self }) => self)
      }
      const rolesOf = async (): Promise<readonly string[]> => (await own())?.roles ?? []
      assert.deepEqual(await rolesOf(), ['storage'])
      assert.ok((await own())?.measured?.bandwidthMbps !== undefined)

      network.unlimit(atNode)
      await eventually('that it relays', rolesOf, (roles) => roles.includes('relay'), RENEWAL_MS)
      assert.equal((await statusOf()).admission.demoted, undefined)

      // Its packets are probed under the next onion key as well, and that of before goes.
      const onionKeys = async (): Promise<readonly string[]> =>
        readdirSync(join(node, 'onion')).map((name) => name.slice(0, 64))
      const [first = ''] = await onionKeys()
      await eventually('another onion key', onionKeys, (keys) => keys.length === 2, RENEWAL_MS)
      await eventually('the end of the one before', onionKeys, (keys) => !keys.includes(first), RENEWAL_MS)
      assert.equal((await statusOf()).admission.inMap, true)
      assert.ok((await rolesOf()).includes('relay'))
    } finally {
      for (const home of [node, validator]) await weft(['stop', '--home', home])
      assert.deepEqual(findNodeProcesses(directory), [])
      rmSync(directory, { recursive: true })
    }
  },
)
