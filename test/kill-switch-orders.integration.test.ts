import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { randomInt, seededRandom } from '@weft/core'
import type { KillSwitchOrder, KillSwitchStatus } from '../packages/vpn/src/kill-switch/kill-switch.ts'
import { Namespaces } from './lib/namespaces.ts'
import { skipWithout } from './lib/needs.ts'

// Who put the kill switch on, and with whom it goes off, in a namespace that stands for the machine.

const CALL = join(import.meta.dirname, 'lib', 'kill-switch-call.program.ts')
const STEPS = 12
const AT_ONCE = 4

type Action = 'on' | 'off' | 'release' | 'status'

describe('the kill switch of a person and of a profile', { skip: skipWithout('root', 'nat') }, () => {
  let namespaces: Namespaces<'c'>
  let directory: string

  before(() => {
    namespaces = new Namespaces('wo', ['c'])
  })
  after(() => namespaces[Symbol.dispose]())
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'weft-orders-'))
    chmodSync(directory, 0o755)
    for (const name of ['units', 'systemd']) mkdirSync(join(directory, name), { mode: 0o755 })
  })
  afterEach(async () => {
    await call('off')
    rmSync(directory, { recursive: true, force: true })
  })

  test('a profile takes back what it wanted, and nothing is left of it', async () => {
    assert.deepEqual(told(await call('on', { by: 'profile', allowLan: true })), ['on', true, ['profile']])
    assert.deepEqual(told(await call('release')), ['off', undefined, []])
    assert.equal(existsSync(join(directory, 'weft')), false)
    assert.equal(await ruleset(), '')
    assert.deepEqual(told(await call('release')), ['off', undefined, []])
  })

  test('what a person put on stays as he put it on, and off is off for both', async () => {
    await call('on', { allowLan: true, boot: false })
    assert.deepEqual(told(await call('on', { by: 'profile' })), ['on', false, ['person', 'profile']])
    const left = await call('release')
    assert.deepEqual([...told(left), left.reboot.isProtected], ['on', true, ['person'], false])
    await call('on', { by: 'profile' })
    assert.deepEqual(told(await call('on')), ['on', false, ['person', 'profile']])
    assert.equal((await call('off')).state, 'off')
  })

  test('a profile neither takes the switch of another home nor takes it off', async () => {
    await call('on', { home: '/other' })
    await assert.rejects(call('on', { by: 'profile' }), /is on for the daemon whose home is \/other/)
    assert.deepEqual(told(await call('release')), ['on', false, ['person']])
    await call('on', { by: 'profile', home: '/other' })
    assert.deepEqual(told(await call('release')), ['on', false, ['person', 'profile']])
  })

  test('where files do not say whose it is, it is a person’s: a profile does not take it off', async () => {
    const state = join(directory, 'weft', 'killswitch.json')
    for (const lose of [() => rmSync(state), () => writeFileSync(state, '{', { mode: 0o600 })]) {
      await call('on', { allowLan: true })
      lose()
      assert.deepEqual(told(await call('on', { by: 'profile' })), ['on', false, ['person', 'profile']])
      assert.deepEqual(told(await call('release')), ['on', true, ['person']])
      await call('off')
    }
  })

  test('whatever is called in whatever order, it is on while somebody wants it on, and for the LAN only if all say so', async (t) => {
    const seed = Number(process.env['WEFT_SEED'] ?? 1)
    t.diagnostic(`seed ${seed}`)
    const random = seededRandom(seed)
    const wanted: { person?: boolean; profile?: boolean } = {}
    for (let step = 0; step < STEPS; step++) {
      const by = randomInt(random, 2) === 0 ? 'person' : 'profile'
      const allowLan = randomInt(random, 2) === 0
      const kind = randomInt(random, 10)
      if (kind < 6) wanted[by] = allowLan
      else if (kind < 9) delete wanted.profile
      else for (const each of ['person', 'profile'] as const) delete wanted[each]
      const status = await call(kind < 6 ? 'on' : kind < 9 ? 'release' : 'off', { by, allowLan })
      const all = Object.values(wanted)
      const lan = all.length === 0 ? undefined : all.every(Boolean)
      assert.deepEqual(told(status).slice(0, 2), [all.length === 0 ? 'off' : 'on', lan], `step ${step}`)
      assert.equal((await ruleset()).includes('weft_killswitch'), all.length > 0)
    }
  })

  test('calls at once lose nobody’s order: put on by a person while a profile comes and goes, it is on', async () => {
    const flicker = async (): Promise<void> => {
      for (let times = 0; times < 2; times++) {
        await call('on', { by: 'profile' })
        await call('release')
      }
    }
    const flickering = Array.from({ length: AT_ONCE }, flicker)
    await call('on')
    await Promise.all(flickering)
    assert.deepEqual(told(await call('status')), ['on', false, ['person']])
  })

  function told({ state, allowLan, orderedBy }: KillSwitchStatus): readonly unknown[] {
    return [state, allowLan, orderedBy.toSorted()]
  }

  async function ruleset(): Promise<string> {
    return (await namespaces.exec('c', ['nft', 'list', 'ruleset'])).trim()
  }

  async function call(action: Action, order: Partial<KillSwitchOrder> = {}): Promise<KillSwitchStatus> {
    const all = { allowLan: false, home: '/home', uid: 0, nodes: [], ...order }
    const words = [process.execPath, CALL, directory, action, JSON.stringify(all)]
    return JSON.parse(await namespaces.exec('c', words)) as KillSwitchStatus
  }
})
