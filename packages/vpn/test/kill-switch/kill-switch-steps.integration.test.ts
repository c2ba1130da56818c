import assert from 'node:assert/strict'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { afterEach, describe, mock, test } from 'node:test'
import type { KillSwitch } from '../../src/kill-switch/kill-switch.ts'
import { termsIn } from '../../src/kill-switch/kill-switch-rules.ts'
import type { FakeKernel } from './fake-kernel.ts'
import { KILL_SWITCH_ORDER as ORDER, killSwitchRig } from './kill-switch-rig.ts'

// A fault at each step in turn of each change of a switch, with a kernel that a test watches.

const skip = process.platform === 'linux' ? false : 'it is of Linux'

type Standing = 'off' | 'lan' | 'on'
const STANDINGS: readonly Standing[] = ['off', 'lan', 'on']
const WAYS: readonly (readonly [Standing, Standing])[] = [
  ['off', 'on'],
  ['lan', 'on'],
  ['on', 'lan'],
  ['lan', 'off'],
]

type Step = (killSwitch: KillSwitch, to: Standing) => Promise<unknown>

/** To each way that it may stand, by each who may have it so. */
const STEPS = {
  'by a person': (killSwitch, to) =>
    to === 'off' ? killSwitch.off() : killSwitch.on({ ...ORDER, allowLan: to === 'lan' }),
  'by a person, not for the start of the machine': (killSwitch, to) =>
    to === 'off' ? killSwitch.off() : killSwitch.on({ ...ORDER, boot: false, allowLan: to === 'lan' }),
  'by a profile': (killSwitch, to) =>
    to === 'off'
      ? killSwitch.release(ORDER.home, ORDER.nodes)
      : killSwitch.on({ ...ORDER, by: 'profile', allowLan: to === 'lan' }),
} as const satisfies Record<string, Step>

/** once: one call of the system fails. full: from one on all that write to the disk. killed: from one on all, and of the kernel. */
type FaultKind = 'once' | 'full' | 'killed'
const FAULTS: Readonly<Record<keyof typeof STEPS, readonly FaultKind[]>> = {
  'by a person': ['full', 'killed'],
  'by a person, not for the start of the machine': ['once'],
  'by a profile': ['once', 'killed'],
}

const WRITES = ['openSync', 'writeFileSync', 'fsyncSync', 'mkdirSync', 'symlinkSync', 'linkSync'] as const
const CHANGES = ['renameSync', 'rmSync', 'rmdirSync', 'fchmodSync'] as const

describe('a kill switch whose change fails at any step', { skip }, () => {
  afterEach(restore)

  for (const [who, step] of Object.entries(STEPS) as [keyof typeof STEPS, Step][])
    for (const kind of FAULTS[who])
      test(`${who}, ${kind}: it lets out nothing that was held back before, nor after a start`, async (t) => {
        let failed = 0
        for (const [was, will] of WAYS)
          for (let at = 1; ; at++) {
            const { killSwitch, kernel, files, units } = killSwitchRig(t)
            if (was !== 'off') await step(killSwitch, was)
            const where = `${was} to ${will}, at step ${at}`
            const faults = inject(kernel, kind, at)
            const answer = await step(killSwitch, will).catch((error: unknown) => error)
            restore()
            kernel.before = () => {}
            const isDone = !(answer instanceof Error)
            if (!faults.hit) assert.ok(isDone, `${where}: ${String(answer)}`)
            if (isDone) assert.equal(standing(kernel.terms), will, where)
            if (!faults.hit) break
            failed++
            // Where the program ended in the midst of it, it may be as it was to be.
            const least = isDone ? will : kind === 'killed' ? looser(was, will) : was
            const expectHeld = (now: Standing, when: string): void =>
              assert.ok(strict(now) >= strict(least), `${now} ${when}: ${where}`)
            expectHeld(standing(kernel.terms), 'now')
            const [unit, rules] = [join(units, 'weft-killswitch.service'), join(files, 'killswitch.nft')]
            if (fs.existsSync(unit))
              expectHeld(
                fs.existsSync(rules) ? standing(termsIn(fs.readFileSync(rules, 'utf8'))) : 'off',
                'after a start of the machine',
              )
            await killSwitch.renew(ORDER.nodes)
            expectHeld(standing(kernel.terms), 'when a daemon started')
            if (isDone || kind === 'full') continue
            await step(killSwitch, will)
            assert.equal(standing(kernel.terms), will, `again: ${where}`)
            if (will === 'off') assert.equal(fs.existsSync(files), false, where)
          }
        assert.ok(failed > 20, `${failed} faults`)
      })
})

function standing(terms: { readonly allowLan: boolean } | undefined): Standing {
  return terms === undefined ? 'off' : terms.allowLan ? 'lan' : 'on'
}

function strict(standing: Standing): number {
  return STANDINGS.indexOf(standing)
}

function looser(a: Standing, b: Standing): Standing {
  return strict(a) < strict(b) ? a : b
}

/** Has the `at`th change from now on fail, of a file or of the kernel. */
function inject(kernel: FakeKernel, kind: FaultKind, at: number): { hit: boolean } {
  const faults = { hit: false }
  let left = at
  const step = (takesRoom: boolean): void => {
    if (faults.hit ? kind === 'killed' || (kind === 'full' && takesRoom) : --left === 0) {
      faults.hit = true
      throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
    }
  }
  for (const name of [...WRITES, ...CHANGES]) {
    const real = fs[name] as (...words: unknown[]) => unknown
    mock.method(fs, name, (...words: unknown[]) => {
      // To open a file that is there, or to read one, takes none.
      const isRead = name === 'openSync' && typeof words[1] !== 'string'
      if (!isRead && words[1] !== 'r') step((WRITES as readonly string[]).includes(name))
      return real(...words)
    })
  }
  syncBuiltinESMExports()
  kernel.before = () => step(false)
  return faults
}

function restore(): void {
  mock.restoreAll()
  syncBuiltinESMExports()
}
