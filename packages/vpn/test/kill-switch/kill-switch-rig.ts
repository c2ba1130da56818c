import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { KillSwitch } from '../../src/kill-switch/kill-switch.ts'
import { FakeKernel } from './fake-kernel.ts'

export interface KillSwitchRig {
  readonly killSwitch: KillSwitch
  readonly kernel: FakeKernel
  /** Of its files, and of units. */
  readonly files: string
  readonly units: string
}

export const KILL_SWITCH_ORDER = {
  allowLan: false,
  home: '/home',
  uid: 0,
  nodes: [{ host: '192.0.2.1', port: 4_001 }],
} as const

/** A switch with files in a place of a test's own, on a machine that systemd runs. */
export function killSwitchRig(t: TestContext): KillSwitchRig {
  const directory = mkdtempSync(join(tmpdir(), 'weft-switch-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const [files, units, systemd] = [join(directory, 'weft'), join(directory, 'units'), join(directory, 'systemd')]
  for (const each of [units, systemd]) mkdirSync(each, { mode: 0o755 })
  const kernel = new FakeKernel()
  return { killSwitch: new KillSwitch({ directory: files, units, systemd }, undefined, kernel), kernel, files, units }
}
