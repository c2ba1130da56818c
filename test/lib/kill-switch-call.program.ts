import { KillSwitch, type KillSwitchOrder } from '../../packages/vpn/src/kill-switch/kill-switch.ts'

/** Runs in a namespace and does with its kill switch what it is told, with files in a place of a test's own; prints how it stands then. */
const [directory = '', action, order] = process.argv.slice(2)
const killSwitch = new KillSwitch({
  directory: `${directory}/weft`,
  units: `${directory}/units`,
  systemd: `${directory}/systemd`,
})
const how = JSON.parse(order ?? '{}') as KillSwitchOrder
if (action === 'on') await killSwitch.on(how)
if (action === 'off') await killSwitch.off()
if (action === 'release') await killSwitch.release(how.home, how.nodes)
process.stdout.write(JSON.stringify(await killSwitch.status()))
