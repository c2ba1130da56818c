import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { WeftError } from '@weft/core'
import { type KillSwitchWish, type Profile, ProfilesFile, type PutMode } from '@weft/vpn'
import { loadConfig } from '../../src/config/load-config.ts'
import { configuredFields } from '../../src/daemon/configured-fields.ts'
import { VpnProfiles } from '../../src/daemon/vpn-profiles.ts'
import { testDirectory } from '../support/test-daemon.ts'

// What a switch lets out while profiles change, and a fault comes at each step in turn.

/** The stricter, the later. */
const SETTINGS = ['off', 'allow-lan', 'on'] as const
type Setting = (typeof SETTINGS)[number]

/** once: a step fails; for good: all after it fail too, as when the daemon is killed there. */
const FAULTS = ['once', 'for good'] as const

const CHANGES = {
  'use another one': (profiles: VpnProfiles) => profiles.use('after'),
  'change the one in use': (profiles: VpnProfiles, killSwitch: Setting) =>
    profiles.put('before', { killSwitch }, { mode: 'replace', check: false }),
  'import over the one in use': (profiles: VpnProfiles, killSwitch: Setting) =>
    profiles.import(
      {
        schemaVersion: 1,
        kind: 'weft-vpn-profile',
        profile: { name: 'before', killSwitch },
        leftOut: [],
      },
      { mode: 'replace', check: false },
    ),
} as const

class Faults {
  /** Steps until the fault; none where it is 0. */
  left = 0
  kind: (typeof FAULTS)[number] = 'once'
  /** What is looked at before each step and after it. */
  look: () => void = () => {}

  step(): void {
    this.look()
    if (this.left === 0) return
    if (this.left > 1) {
      this.left--
      return
    }
    if (this.kind === 'once') this.left = 0
    throw new Error('a fault')
  }
}

/** That fails before it writes, or after. */
class FaultyFile extends ProfilesFile {
  readonly #faults: Faults

  constructor(path: string, faults: Faults) {
    super(path)
    this.#faults = faults
  }

  override use(name: string): void {
    this.#faults.step()
    super.use(name)
    this.#faults.step()
  }

  override put(profile: Profile, mode: PutMode): void {
    this.#faults.step()
    super.put(profile, mode)
    this.#faults.step()
  }
}

interface Rig {
  readonly profiles: VpnProfiles
  readonly file: ProfilesFile
  readonly faults: Faults
  /** How the machine's switch stands. */
  switch: Setting
  /** What taking back fails with, where this user may not. */
  refuse: Error | undefined
}

/** Where the profile `before` is in use. */
async function rig(t: TestContext, was: Setting, will: Setting): Promise<Rig> {
  const home = testDirectory(t)
  const { values } = await loadConfig(['--home', home], {})
  const faults = new Faults()
  const file = new FaultyFile(join(home, 'vpn-profiles.json'), faults)
  const profiles = new VpnProfiles({
    file,
    configured: configuredFields(values),
    dns: { host: '127.0.0.1', port: 4_784 },
    applyKillSwitch: async ({ on, allowLan }: KillSwitchWish) => {
      faults.step()
      if (all.refuse !== undefined) throw all.refuse
      all.switch = on ? (allowLan ? 'allow-lan' : 'on') : 'off'
    },
  })
  const all: Rig = { profiles, file, faults, switch: was, refuse: undefined }
  await profiles.put('before', { killSwitch: was }, { mode: 'create', check: false })
  await profiles.put('after', { killSwitch: will }, { mode: 'create', check: false })
  await profiles.use('before')
  return all
}

function strictness(setting: Setting): number {
  return SETTINGS.indexOf(setting)
}

for (const [what, change] of Object.entries(CHANGES))
  test(`to ${what}: whatever fails, nothing is let out that the profile before or after holds back`, async (t) => {
    let rejected = 0
    for (const kind of FAULTS)
      for (const was of SETTINGS)
        for (const will of SETTINGS)
          for (let at = 1; ; at++) {
            const all = await rig(t, was, will)
            const { profiles, file, faults } = all
            const where = `${was} to ${will}, ${kind}, at step ${at}`
            assert.equal(all.switch, was)
            faults.look = () => {
              const wanted = file.inUse.fields.killSwitch ?? 'off'
              assert.ok(
                strictness(all.switch) >= strictness(wanted),
                `${all.switch} while ${wanted} is in use: ${where}`,
              )
            }
            Object.assign(faults, { left: at, kind })
            const answer = await change(profiles, will).catch((error: unknown) => error)
            if (!(answer instanceof Error)) {
              assert.deepEqual([all.switch, file.inUse.fields.killSwitch], [will, will], where)
              break
            }
            assert.match(answer.message, /a fault/)
            rejected++
            faults.look()
            assert.ok(strictness(all.switch) >= strictness(was), `${all.switch}: ${where}`)
            // Whoever tries again gets what he asked for.
            faults.left = 0
            await change(profiles, will)
            assert.deepEqual([all.switch, file.inUse.fields.killSwitch], [will, will], `again: ${where}`)
          }
    // Each way has two steps at least, before and after what is written.
    assert.ok(rejected >= FAULTS.length * SETTINGS.length ** 2 * 2, `${rejected} faults`)
  })

test('who may not touch the switch uses profiles that do not name it', async (t) => {
  const all = await rig(t, 'off', 'off')
  all.refuse = new WeftError({ code: 'E_KILL_SWITCH_RIGHTS', cause: 'Not by this user.', fix: 'Call it as root.' })
  assert.equal((await all.profiles.use('after')).profile.inUse, true)
  const other = await rig(t, 'on', 'off')
  other.refuse = all.refuse
  await assert.rejects(other.profiles.use('after'), { code: 'E_KILL_SWITCH_RIGHTS' })
})
