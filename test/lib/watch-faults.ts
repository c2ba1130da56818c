import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { eventually } from './eventually.ts'
import { FaultyMachine } from './kill-switch-faults.ts'

/** Packets that must have been held back a fault, on average: otherwise nobody tried. */
const HELD_BACK = 20
/** What the capture must be able to see. */
const KINDS = [/\.53:/, /2001:db8:9::9/, /\.7000:/, /\.8080: Flags/, /ICMP echo/, /10\.60\.0\.2\.9090 > /]

/**
 * Draws a machine with its kill switch on through faults, and sees that nothing leaves it but what may; before and behind it that the same
 * capture sees what leaves without the switch.
 */
export async function watchFaults(t: TestContext, basePort: number, count: number, seed: number): Promise<void> {
  await using machine = await FaultyMachine.up(basePort)
  const leaves = async (): Promise<void> => {
    // One look need not see all of them: connections wait for their turn.
    const missing = new Set(KINDS)
    await eventually(
      'what leaves without a kill switch',
      async () => {
        const lines = await machine.leaks()
        for (const kind of missing) if (lines.some((line) => kind.test(line))) missing.delete(kind)
        return [...missing].map(String)
      },
      (kinds) => kinds.length === 0,
    )
  }
  await leaves()
  const { code, stderr } = await machine.weft('vpn', 'killswitch', 'on')
  assert.equal(code, 0, stderr)
  await machine.leaks()
  const began = performance.now()
  const { done, leaks, opened, blocked } = await machine.play(count, seed)
  const seconds = ((performance.now() - began) / 1_000).toFixed(0)
  const held = Object.values(blocked).reduce((sum, { packets }) => sum + packets, 0)
  t.diagnostic(`${count} faults in ${seconds} s, seed ${seed}: ${JSON.stringify(done)}`)
  t.diagnostic(`${leaks.length} packets leaked, ${held} held back: ${JSON.stringify(blocked)}; ${opened} tunnels open`)
  assert.deepEqual(leaks, [])
  assert.ok(held > count * HELD_BACK, `${held} were held back`)
  assert.ok(opened > 0, 'no tunnel was open')
  assert.equal((await machine.weft('vpn', 'killswitch', 'off')).code, 0)
  await machine.weft('vpn', 'down')
  await leaves()
}
