import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type {
  ChangedVpnProfileAnswer,
  VpnChoicesAnswer,
  VpnExitsAnswer,
  VpnProfilesAnswer,
  VpnRouteAnswer,
  VpnStatusAnswer,
} from '@weft/node'
import { eventually } from './lib/eventually.ts'
import { skipWithout } from './lib/needs.ts'
import { runTool } from './lib/run-tool.ts'
import { upDevnet } from './lib/up-devnet.ts'
import { weft, weftJson } from './lib/weft.ts'

const BASE_PORT = 23_000

test(
  'a daemon follows the profile in use, over its own restart too',
  { skip: skipWithout('curl'), timeout: 300_000 },
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'weft-profiles-'))
    const net = join(directory, 'net')
    const home = join(net, 'client')
    const env = { WEFT_HOME: home }
    const server = createServer((_, response) => response.end('page')).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    const json = <T>(...words: readonly string[]): Promise<T> => weftJson<T>(['vpn', ...words], env)
    const status = (): Promise<VpnStatusAnswer> => json('status')
    const connected = (): Promise<VpnStatusAnswer> =>
      eventually('a route', status, ({ state }) => state === 'connected')
    /** By the proxy, with a user and password. */
    const fetched = async (): Promise<string> => {
      await connected()
      const proxy = `socks5h://alice:secret@127.0.0.1:${BASE_PORT + 1}`
      return String(
        (await runTool('curl', ['--silent', '--show-error', '--max-time', '60', '--proxy', proxy, url])).stdout,
      )
    }
    const usesOf = async (): Promise<readonly string[]> => (await status()).others.map(({ use }) => use)
    try {
      await upDevnet({ dir: net, basePort: BASE_PORT, nodes: 7, seed: 'profiles' })
      const first = await connected()
      assert.deepEqual(
        [first.profile, first.dns?.port],
        [{ name: 'default', pending: { fields: [] }, warnings: [] }, BASE_PORT + 4],
      )
      assert.equal(await fetched(), 'page')
      assert.deepEqual(await usesOf(), ['credentials'])

      // Why each hop is where it is, beside the route that is in use.
      const [exit] = (await json<VpnExitsAnswer>('exits')).exits
      const chosen = async () => ({
        route: (await json<VpnRouteAnswer>('route')).legs.map(({ hops }) => hops.map(({ node }) => node)),
        why: await json<VpnChoicesAnswer>('route', '--why', exit?.node ?? ''),
      })
      const { why } = await eventually('reasons of every leg', chosen, ({ route, why: { legs } }) =>
        route.every((hops) => legs.some((leg) => leg.hops.map(({ node }) => node).join() === hops.join())),
      )
      const entries = why.legs.map(({ hops: [entry] }) => entry?.node)
      assert.ok(why.guards.some(({ node, primary, state }) => primary && state === 'ready' && entries.includes(node)))
      for (const { hops } of why.legs)
        for (const { node, candidates, discarded, heaviest, out, asked } of hops) {
          const told = [...heaviest, ...out]
          assert.equal(told.length, candidates + discarded.reduce((sum, { count }) => sum + count, 0))
          assert.ok(heaviest.some((each) => each.node === node && each.standing === 'chosen'))
          assert.deepEqual(
            asked,
            told.find((each) => each.node === exit?.node),
          )
        }

      await json('profile', 'create', 'work', '--isolation', 'none', '--dns', 'off')
      assert.equal(statSync(join(home, 'vpn-profiles.json')).mode & 0o777, 0o600)
      const used = await json<ChangedVpnProfileAnswer>('profile', 'use', 'work')
      assert.deepEqual(used.pending, { fields: ['dns'], takes: 'again' })
      await json('down')
      const up = await json<VpnStatusAnswer>('up', '--wait')
      assert.deepEqual([up.profile, up.dns], [{ name: 'work', pending: { fields: [] }, warnings: [] }, undefined])
      assert.equal(await fetched(), 'page')
      assert.deepEqual(await usesOf(), [])
      // At once: the next request has a route of its own.
      await json('profile', 'set', 'work', '--isolation', 'credentials')
      assert.equal(await fetched(), 'page')
      assert.deepEqual(await usesOf(), ['credentials'])

      const { exits } = await json<VpnExitsAnswer>('exits')
      const nowhere = ['BR', 'JP', 'GB'].find((code) => exits.every(({ country }) => country !== code)) ?? ''
      const wished = await weft(['vpn', 'profile', 'set', 'work', '--exit', nowhere], env)
      assert.equal(wished.code, 0)
      assert.match(wished.stderr, new RegExp(`The profile work is changed[^]*E_NO_EXIT: [^]*${nowhere}`))
      const taken = await weft(['vpn', 'profile', 'set', 'work', '--unset', 'exit'], env)
      assert.doesNotMatch(taken.stderr, /E_NO_EXIT/)
      assert.equal(await fetched(), 'page')

      const refused = await weft(['vpn', 'profile', 'delete', 'work'], env)
      assert.deepEqual([refused.code, refused.stderr.startsWith('E_PROFILE_IN_USE: ')], [1, true])
      const exported = await weft(['vpn', 'profile', 'export', 'work'], env)
      const file = join(directory, 'work.json')
      writeFileSync(file, exported.stdout)
      const look = await json<ChangedVpnProfileAnswer>('profile', 'import', file, '--replace', '--check')
      assert.deepEqual([look.checked, look.changes], [true, []])

      assert.equal((await weft(['devnet', 'kill', 'client', '--dir', net])).code, 0)
      await json('profile', 'set', 'work', '--dns', 'exit')
      const { profiles } = await json<VpnProfilesAnswer>('profile', 'list')
      assert.deepEqual(profiles.find(({ inUse }) => inUse)?.fields, { isolation: 'credentials', dns: 'exit' })
      assert.equal((await weft(['devnet', 'restart', 'client', '--dir', net])).code, 0)
      const again = await connected()
      assert.deepEqual([again.profile.name, again.profile.pending.fields, again.dns?.port], ['work', [], BASE_PORT + 4])
      assert.match((await weft(['vpn', 'status'], env)).stdout, /^ {2}profile {5}work$/m)
    } finally {
      await weft(['devnet', 'down', '--dir', net])
      server.close()
      rmSync(directory, { recursive: true, force: true })
    }
  },
)
