import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { messageOf } from '@weft/core'
import { MAX_IP_PACKET_BYTES } from '@weft/onion'
import {
  INTERFACE,
  LISTED_RULES,
  type MachineRulesInit,
  NAMES_ROUTE_LINES,
  type OutsideAddress,
  REMOVED_ROUTES,
  REMOVED_RULES,
  interfaceLines,
  ipv6Route,
  ipv6Rules,
  isSplit,
  machineRules,
  outsideRules,
  routeLines,
} from './machine-rules-text.ts'
import { runCommand } from './run-command.ts'

/** Has marks count where the system looks whether a packet came the way that an answer would go (rp_filter, ip-sysctl.rst). */
const VALID_MARK = '/proc/sys/net/ipv4/conf/all/src_valid_mark'
const IPV6_OFF = '/proc/sys/net/ipv6/conf/all/disable_ipv6'

/** Of the time since the machine started: its rules do not outlive it. */
const BOOT_ID = '/proc/sys/kernel/random/boot_id'

/** What this machine's packets are led into the tunnel by: its table of nft, its rules of routing, and what both stand on. */
export class MachineRules {
  readonly #stateFile: string
  readonly #hasIPv6 = readText(IPV6_OFF) === '0'
  readonly #isSplit: boolean
  /** Changes one after another. */
  #last: Promise<unknown> = Promise.resolve()
  #carriesIPv6 = false
  #isOver = false

  private constructor(stateFile: string, split: boolean) {
    this.#stateFile = stateFile
    this.#isSplit = split
  }

  /**
   * Puts them in place, the guard first; where a thread or daemon that ended left its own, these take their place at once, and what fails then
   * leaves the machine shut. The interface stands already.
   * @param stateFile says that they are there, until they are not: also for a process after this one
   * @throws Error of a program of the system
   */
  static async put(
    init: MachineRulesInit,
    outside: readonly OutsideAddress[],
    stateFile: string,
  ): Promise<MachineRules> {
    const rules = new MachineRules(stateFile, isSplit(init))
    const isRenewal = (await leftRules(stateFile)) !== 'none'
    const { srcValidMark = readText(VALID_MARK) } = readState(stateFile)
    writeFileSync(stateFile, `${JSON.stringify({ schemaVersion: 1, srcValidMark, bootId: readText(BOOT_ID) })}\n`)
    try {
      await runCommand('nft', ['-f', '-'], machineRules(init, outside))
      await removeLeftRoutes()
      writeFileSync(VALID_MARK, '1')
      await runCommand('ip', ['-batch', '-'], interfaceLines(MAX_IP_PACKET_BYTES, rules.#hasIPv6))
      await runCommand('ip', ['-4', '-batch', '-'], routeLines(4))
      if (rules.#hasIPv6) await rules.#putIPv6(init.dnsPort !== undefined)
      return rules
    } catch (error) {
      if (!isRenewal) await rules.remove()
      throw error
    }
  }

  /** Other addresses of nodes. */
  setOutside(outside: readonly OutsideAddress[]): Promise<void> {
    return this.#then(() => runCommand('nft', ['-f', '-'], outsideRules(outside)))
  }

  /** Whether packets of IPv6 go into the tunnel, or are refused at once. */
  setIPv6(isCarried: boolean): Promise<void> {
    if (!this.#hasIPv6 || isCarried === this.#carriesIPv6) return Promise.resolve()
    this.#carriesIPv6 = isCarried
    return this.#then(() =>
      this.#isSplit ? runCommand('nft', ['-f', '-'], ipv6Rules(isCarried)) : runCommand('ip', ipv6Route(isCarried)),
    )
  }

  /** It is carried nowhere as yet. */
  async #putIPv6(answersNames: boolean): Promise<void> {
    if (this.#isSplit) await runCommand('nft', ['-f', '-'], ipv6Rules(false))
    if (answersNames) await runCommand('ip', ['-6', '-batch', '-'], NAMES_ROUTE_LINES)
    await runCommand('ip', ['-6', '-batch', '-'], routeLines(6))
    if (this.#isSplit) await runCommand('ip', ipv6Route(true))
  }

  /** Takes all away. */
  async remove(): Promise<void> {
    const last = this.#last
    this.#isOver = true
    await last
    await removeLeftRules(this.#stateFile)
  }

  #then(change: () => Promise<unknown>): Promise<void> {
    const done = this.#last.then(() => (this.#isOver ? undefined : change())).then(() => {})
    this.#last = done.catch(() => {})
    return done
  }
}

/**
 * Takes away the rules that `stateFile` speaks of, with it: those of a process that was killed, too. What cannot be taken away is not
 * there; where it is not permitted, the file stays.
 */
export async function removeLeftRules(stateFile: string): Promise<void> {
  if (!existsSync(stateFile)) return
  const { srcValidMark } = readState(stateFile)
  await removeLeftRoutes()
  await runCommand('nft', ['-f', '-'], REMOVED_RULES)
  if (srcValidMark === '0') writeFileSync(VALID_MARK, '0')
  rmSync(stateFile, { force: true })
}

async function removeLeftRoutes(): Promise<void> {
  for (const family of ['-4', '-6'])
    await runCommand('ip', [family, '-force', '-batch', '-'], REMOVED_ROUTES).catch(() => {})
}

/**
 * Whether rules that `stateFile` speaks of stand, by which nothing leaves this machine while nobody carries its packets; unknown where
 * that may not be looked at.
 */
export async function leftRules(stateFile: string): Promise<'none' | 'standing' | 'unknown'> {
  if (!existsSync(stateFile)) return 'none'
  const { bootId } = readState(stateFile)
  if (bootId !== undefined && bootId !== readText(BOOT_ID)) return 'none'
  try {
    await runCommand('nft', LISTED_RULES)
    return 'standing'
  } catch (error) {
    return messageOf(error).includes('No such file') ? 'none' : 'unknown'
  }
}

/** Whether another process leads packets into a tunnel just now. */
export function isInUse(): boolean {
  return existsSync(`/sys/class/net/${INTERFACE}`)
}

interface State {
  readonly srcValidMark?: unknown
  readonly bootId?: unknown
}

function readState(stateFile: string): State {
  try {
    return JSON.parse(readText(stateFile)) as State
  } catch {
    // Half written when its process was killed.
    return {}
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return ''
  }
}
