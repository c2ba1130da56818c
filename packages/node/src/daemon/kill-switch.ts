import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Logger, WeftError, messageOf } from '@weft/core'
import type { ApplyKillSwitch, KillSwitchOrder, KillSwitchStatus } from '@weft/vpn'
import { type Config, loadConfig } from '../config/load-config.ts'
import { statePaths } from './state-directory.ts'

/**
 * Puts the machine's kill switch on for the daemon of a home, which need not run.
 * @throws WeftError E_KILL_SWITCH_HOME, E_NOT_PERMITTED, E_KILL_SWITCH_RIGHTS, E_KILL_SWITCH_UNAVAILABLE, E_KILL_SWITCH_PLACE
 */
export async function killSwitchOn(
  home: string,
  environment: Readonly<Record<string, string | undefined>>,
  how: Pick<KillSwitchOrder, 'allowLan' | 'boot'>,
): Promise<KillSwitchStatus> {
  const { KillSwitch } = await import('@weft/vpn')
  const uid = ownerOf(home)
  const nodes = await nodesOf(home, () => networkFileOf(home, environment))
  return new KillSwitch().on({ ...how, home: resolve(home), uid, nodes })
}

/**
 * How profiles of a home put the machine's kill switch on, and take back what they wanted of it: what a person put on stays.
 * @throws WeftError in each call: E_KILL_SWITCH_RIGHTS, E_KILL_SWITCH_UNAVAILABLE, E_KILL_SWITCH_PLACE, E_KILL_SWITCH_TAKEN, E_KILL_SWITCH_BUSY
 */
export function profileKillSwitch({ home, networkFile }: Pick<Config, 'home' | 'networkFile'>): ApplyKillSwitch {
  return async ({ on, allowLan }) => {
    const { KillSwitch } = await import('@weft/vpn')
    const nodes = await nodesOf(home, async () => networkFile)
    const killSwitch = new KillSwitch()
    if (on) await killSwitch.on({ by: 'profile', allowLan, home: resolve(home), uid: ownerOf(home), nodes })
    else await killSwitch.release(resolve(home), nodes)
  }
}

/** The same with a line in the log of the daemon for each time that it is put on or released. */
export function loggedKillSwitch(apply: ApplyKillSwitch, logger: Logger): ApplyKillSwitch {
  return async (wish) => {
    await apply(wish)
    if (wish.on)
      logger.warn('the profile in use has the kill switch on: nothing leaves this machine but through the tunnel', {
        allowLan: wish.allowLan,
        unblock: 'weft vpn killswitch off, as root',
      })
    else logger.info('the profile in use does not want the kill switch any more')
  }
}

/** @throws WeftError E_KILL_SWITCH_RIGHTS, E_KILL_SWITCH_UNAVAILABLE */
export async function killSwitchOff(): Promise<KillSwitchStatus> {
  const { KillSwitch } = await import('@weft/vpn')
  return new KillSwitch().off()
}

/** Whether files of this machine say that it is to be on: also to who may not see its rules. */
export async function killSwitchIsOrdered(): Promise<boolean> {
  const { KillSwitch } = await import('@weft/vpn')
  return new KillSwitch().isOrdered
}

/** As the kernel has it. */
export async function killSwitchStatus(): Promise<KillSwitchStatus> {
  const { KillSwitch } = await import('@weft/vpn')
  return new KillSwitch().status()
}

/** A home belongs to the user that its daemon runs as. */
function ownerOf(home: string): number {
  const told = `The kill switch is to let out the daemon whose home is ${home}, `
  try {
    const stat = statSync(home, { throwIfNoEntry: false })
    if (stat?.isDirectory() === true) return stat.uid
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EACCES' || code === 'EPERM')
      throw new WeftError({
        code: 'E_NOT_PERMITTED',
        cause: `${told}at which this user may not look: ${messageOf(error)}.`,
        fix: `Call it as root: sudo weft vpn killswitch on --home ${home}.`,
        origin: error,
      })
  }
  throw new WeftError({
    code: 'E_KILL_SWITCH_HOME',
    cause: `${told}and there is none.`,
    fix: 'Name its home with --home or WEFT_HOME (sudo keeps neither that of the user who calls it, nor this variable), or make one: weft init.',
  })
}

/** Where its connections lead: what it kept, what its network file names, and its bridges, by which alone it calls where it has any. */
async function nodesOf(home: string, networkFileOf: () => Promise<string>): Promise<KillSwitchOrder['nodes']> {
  const [{ outsideAddresses, readKnownNodes }, { readNetworkFile }, { readBridges }] = await Promise.all([
    import('@weft/vpn'),
    import('@weft/overlay'),
    import('@weft/bridge'),
  ])
  const paths = statePaths(home)
  const bridges = readBridges(paths.bridges).map(({ endpoint }) => endpoint)
  if (bridges.length > 0) return bridges
  try {
    const bootstrap = readNetworkFile(await networkFileOf()).file.validators.flatMap(({ addresses }) => addresses)
    return [...outsideAddresses([], bootstrap), ...readKnownNodes(paths.nodes)]
  } catch {
    // It is in no network yet, or cannot be started as it is set up, which it says itself.
    return readKnownNodes(paths.nodes)
  }
}

async function networkFileOf(home: string, environment: Readonly<Record<string, string | undefined>>): Promise<string> {
  return (await loadConfig(['--home', home], environment)).networkFile
}
