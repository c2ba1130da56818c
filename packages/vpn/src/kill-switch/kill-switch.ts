import { existsSync, mkdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Clock, type Fault, isWeftError, messageOf, systemClock } from '@weft/core'
import type { OutsideAddress } from '../tun/machine-rules-text.ts'
import { type BootPlaces, type Reboot, hasSystemd, putUnit, unitFault } from './boot-unit.ts'
import {
  PUT_AGAIN,
  blocking,
  cannotSee,
  damaged,
  failed,
  profileNeedsRoot,
  releaseNeedsRoot,
  taken,
  unavailable,
  unprotected,
} from './kill-switch-faults.ts'
import { type KernelRules, type KillSwitchKernel, NFTABLES } from './kill-switch-kernel.ts'
import { removeLock, withLock } from './kill-switch-lock.ts'
import {
  type KillSwitchOrders,
  type Kept,
  type OrderedBy,
  parseKept,
  termsOf,
  textOfKept,
  withOrder,
  withoutProfile,
} from './kill-switch-orders.ts'
import { type BlockReason, type Blocked, killSwitchRules, nodeRules } from './kill-switch-rules.ts'
import { usableNodes } from './known-nodes.ts'
import { removeFiles, setAside } from './set-aside.ts'
import { leftovers, makeSafePlace, prepareSafely, readSafely, requireSafePlace, writeSafely } from './safe-place.ts'
import { Undo } from './undo.ts'

export interface KillSwitchPlaces extends BootPlaces {
  /** Of what the switch keeps: its rules for a start of the machine, and that it is on. */
  readonly directory: string
}

/** One switch a machine. */
const KILL_SWITCH_PLACES: KillSwitchPlaces = {
  directory: '/etc/weft',
  units: '/etc/systemd/system',
  systemd: '/run/systemd/system',
}

export interface KillSwitchOrder {
  /** Whose wish it is: of a person, where it is not said, or of the profile in use. */
  readonly by?: OrderedBy
  /** Whether what stays on the LAN is let out, but for names. */
  readonly allowLan: boolean
  /** Whether it comes back with the machine; true where it is not said. */
  readonly boot?: boolean
  /** Of the daemon that is let out: its home, and the user that it runs as. */
  readonly home: string
  readonly uid: number
  /** Where the daemon's connections lead: what has no mark is let out to these alone. */
  readonly nodes: readonly OutsideAddress[]
}

export interface KillSwitchStatus {
  /** damaged: it is to be on, and its rules are not all there, or others stand between; unknown: this user may not see. */
  readonly state: 'on' | 'off' | 'damaged' | 'unknown'
  /** ms since the Unix epoch; undefined where it is off or unknown, as are the next two. */
  readonly since: number | undefined
  readonly allowLan: boolean | undefined
  /** The user whose daemon is let out. */
  readonly uid: number | undefined
  /** Who wants it on, where the files say so, which not every user may read. It goes off with the last of them, or by a call of `off`. */
  readonly orderedBy: readonly OrderedBy[]
  /** Addresses of nodes that are let out for it. */
  readonly nodes: number
  /** What was blocked since it was put on, or the machine was started, by reason. */
  readonly blocked: Readonly<Record<BlockReason, Blocked>>
  /** How its rules differ from what they should be. */
  readonly differences: readonly string[]
  readonly reboot: Reboot
  /** Where it is on: that it blocks, and how to unblock; where it is damaged or unknown: why. */
  readonly fault: Fault | undefined
}

const RULES = 'killswitch.nft'
const STATE = 'killswitch.json'
const LOCK = 'killswitch.lock'
const NOT_KEPT = unprotected('Nothing on the disk of this machine says that it is to be on.', PUT_AGAIN)
const NOT_ON: Reboot = { isProtected: false, cause: '', fix: '' }

/**
 * Lets nothing leave this machine but a tunnel and what the daemon needs for it, by rules of the kernel that hold without a daemon until they
 * are taken off, and come back with the machine. Each call works without a daemon, and needs root; calls of several processes follow one another
 * in the kernel.
 */
export class KillSwitch {
  readonly #places: KillSwitchPlaces
  readonly #clock: Clock
  readonly #kernel: KillSwitchKernel

  constructor(places = KILL_SWITCH_PLACES, clock: Clock = systemClock, kernel = NFTABLES) {
    this.#places = places
    this.#clock = clock
    this.#kernel = kernel
  }

  /**
   * Puts it on, or in the place of one that stands, in one transaction: nothing gets out between, and what was counted stays. What a person and a
   * profile want holds together: the LAN is let out where both of them want that.
   * @throws WeftError E_KILL_SWITCH_RIGHTS, E_KILL_SWITCH_UNAVAILABLE, E_KILL_SWITCH_PLACE, E_KILL_SWITCH_BUSY; E_KILL_SWITCH_TAKEN to a profile
   */
  async on({ by = 'person', allowLan, boot = true, home, uid, nodes }: KillSwitchOrder): Promise<KillSwitchStatus> {
    requireLinux()
    try {
      await this.#alone(async () => {
        const before = await this.#before(home, uid)
        if (by === 'profile' && before !== undefined && before.home !== home) throw taken(home, before.home)
        const kept = { since: before?.since ?? this.#clock.now(), home, uid }
        await this.#put({ ...kept, orders: withOrder(before, home, by, { allowLan, boot }) }, nodes, before)
      }, makeSafePlace)
    } catch (error) {
      throw failed(error, 'put on', by === 'profile' ? profileNeedsRoot(home) : undefined)
    }
    return this.status()
  }

  /**
   * Takes back what the profile of a home wanted. What a person put on stays, as he put it on; without that, nothing is left of it.
   * @throws WeftError E_KILL_SWITCH_RIGHTS, E_KILL_SWITCH_UNAVAILABLE, E_KILL_SWITCH_PLACE, E_KILL_SWITCH_BUSY
   */
  async release(home: string, nodes: readonly OutsideAddress[]): Promise<void> {
    if (!this.isOrdered) return
    try {
      await this.#alone(async () => {
        const kept = this.#kept()
        if (kept?.home !== home || kept.orders.profile === undefined) return
        const orders = withoutProfile(kept.orders)
        if (orders === undefined) await this.#takeOff()
        else await this.#put({ ...kept, orders }, nodes, kept)
      })
    } catch (error) {
      // Somebody took it off meanwhile.
      if (!this.isOrdered) return
      throw failed(error, 'taken off', releaseNeedsRoot(home))
    }
  }

  /** Takes it off, whoever put it on, with all that it left on this machine. @throws WeftError as {@link release} */
  async off(): Promise<KillSwitchStatus> {
    requireLinux()
    try {
      // A disk that cannot be written to is no reason to stay shut in, where nothing is kept on it.
      const canLock = canMake(this.#places.directory)
      await (canLock ? this.#alone(() => this.#takeOff(), makePlace) : this.#takeOff())
    } catch (error) {
      throw failed(error, 'taken off')
    }
    return this.status()
  }

  /** How it stands, by the rules of the kernel. Never throws. */
  async status(): Promise<KillSwitchStatus> {
    const { kept, trouble, isHidden } = this.#found()
    const kernel = await this.#kernel.read(kept && termsOf(kept))
    // Who may not read the file sees by the rules that stand that it is on.
    const isTrouble = trouble !== undefined && !(isHidden && kernel.state === 'standing')
    const { terms, nodes, blocked } = kernel
    const orderedBy = Object.keys(kept?.orders ?? {}) as OrderedBy[]
    const since = terms?.since ?? kept?.since
    const told = { since, allowLan: terms?.allowLan, uid: terms?.uid, orderedBy, nodes, blocked }
    const differences = [...kernel.differences, ...otherwise(kernel, kept), ...(isTrouble ? [trouble] : [])]
    if (kernel.state === 'unknown') {
      const fault = cannotSee(kernel.why, this.isOrdered)
      return { ...told, state: 'unknown', differences: [], reboot: NOT_ON, fault }
    }
    if (kernel.state === 'none' && differences.length === 0)
      return { ...told, since: undefined, state: 'off', differences, reboot: NOT_ON, fault: undefined }
    const reboot =
      kept !== undefined ? this.#reboot(kept) : trouble === undefined ? NOT_KEPT : unprotected(`${trouble}.`, PUT_AGAIN)
    return differences.length > 0
      ? { ...told, state: 'damaged', differences, reboot, fault: damaged(differences) }
      : { ...told, state: 'on', differences, reboot, fault: blocking() }
  }

  /** Whether files of this machine say that the switch is to be on; also to who may not read them. */
  get isOrdered(): boolean {
    return existsSync(join(this.#places.directory, STATE))
  }

  /** Whether it is to be on, and lets out the daemon of that home; false for who may not see. */
  isOf(home: string): boolean {
    try {
      return this.#kept()?.home === home
    } catch {
      return false
    }
  }

  /**
   * Puts the rules again that this machine is to have, where they are missing, changed, or of another version of this program. What somebody took
   * off stays off.
   * @param unseen what is done where the rules cannot be read or judged
   * @returns how they stood; nothing where there was nothing to do
   * @throws WeftError E_KILL_SWITCH_RIGHTS, E_KILL_SWITCH_UNAVAILABLE, E_KILL_SWITCH_PLACE, E_KILL_SWITCH_BUSY
   */
  async renew(nodes: readonly OutsideAddress[], unseen: 'put' | 'leave' = 'put'): Promise<readonly string[]> {
    if (!this.isOrdered) return []
    try {
      return await this.#alone(async () => {
        const kept = this.#kept()
        if (kept === undefined) return []
        const kernel = await this.#kernel.read(termsOf(kept))
        const notSeen = kernel.state === 'unknown' && unseen === 'put' ? [kernel.why] : []
        const wrong = [...kernel.differences, ...otherwise(kernel, kept), ...notSeen]
        if (wrong.length > 0) await this.#put(kept, nodes, undefined, kernel.blocked)
        // A call that was killed may have left others for the start of the machine.
        else if (termsOf(kept).boot && !this.#hasRules(kept)) this.#keepRules(kept, nodes)
        return wrong
      })
    } catch (error) {
      // Somebody took it off meanwhile.
      if (!this.isOrdered) return []
      throw failed(error, 'put on again')
    }
  }

  /** Puts other addresses of nodes in place of those known, also for the next start of the machine; does nothing where it is off. @throws WeftError as {@link renew} */
  async setNodes(nodes: readonly OutsideAddress[]): Promise<void> {
    if (!this.isOrdered) return
    try {
      await this.#alone(async () => {
        const kept = this.#kept()
        if (kept === undefined) return
        await this.#kernel.setNodes(usableNodes(nodes))
        if (termsOf(kept).boot) this.#keepRules(kept, nodes)
      })
    } catch (error) {
      if (this.isOrdered) throw failed(error, 'told of other nodes')
    }
  }

  /** @param makePlace makes the directory where it is missing, as it may be each time somebody took the switch off */
  #alone<T>(step: () => Promise<T>, makePlace: (directory: string) => void = () => {}): Promise<T> {
    const { directory } = this.#places
    return withLock(join(directory, LOCK), step, () => makePlace(directory))
  }

  /** What was ordered before. Rules that stand, and files that cannot be read, are taken for a person's: no profile takes those off. */
  async #before(home: string, uid: number): Promise<Kept | undefined> {
    const kept = this.#kept()
    const { state, terms } = await this.#kernel.read(kept && termsOf(kept))
    if (kept !== undefined) return { ...kept, since: terms?.since ?? kept.since }
    if (state !== 'standing' && !this.isOrdered) return undefined
    const orders: KillSwitchOrders = { person: { allowLan: terms?.allowLan ?? false, boot: true } }
    return { since: terms?.since ?? this.#clock.now(), home, uid, orders }
  }

  /**
   * What takes room on the disk, or rights, comes first: where that fails, nothing was changed. Then that it is to be on, and the kernel last, so that
   * whoever comes after a crash goes on with it; where it is to let out more than `before`, the kernel first, so that he goes back.
   */
  async #put(
    kept: Kept,
    nodes: readonly OutsideAddress[],
    before?: Kept,
    blocked?: KernelRules['blocked'],
  ): Promise<void> {
    const { directory } = this.#places
    const terms = termsOf(kept)
    const usable = usableNodes(nodes)
    requireSafePlace(directory)
    const [state, rules] = [join(directory, STATE), join(directory, RULES)]
    using newState = prepareSafely(state, textOfKept(kept), 0o600)
    using newRules = terms.boot ? prepareSafely(rules, killSwitchRules(terms) + nodeRules(usable), 0o600) : undefined
    await using undo = new Undo()
    putUnit(this.#places, rules, terms.boot, undo)
    const changeKernel = async (): Promise<void> => {
      await this.#kernel.put(terms, usable, blocked)
      if (before !== undefined) undo.add(() => this.#kernel.put(termsOf(before), usable))
    }
    const isOpening = before !== undefined && terms.allowLan && !termsOf(before).allowLan
    if (isOpening) await changeKernel()
    const aside = newRules === undefined ? setAside(rules, undo) : undefined
    for (const file of [newRules, newState]) {
      if (file === undefined) continue
      undo.add(() => file.takeBack())
      file.put()
    }
    if (!isOpening) await changeKernel()
    undo.forget()
    if (aside !== undefined) removeFiles(aside)
  }

  /** First what would bring it back; last that it is to be on, so that whoever comes after a crash goes on from there. */
  async #takeOff(): Promise<void> {
    const { directory } = this.#places
    const { terms } = await this.#kernel.read()
    await using undo = new Undo()
    putUnit(this.#places, join(directory, RULES), false, undo)
    const rules = setAside(join(directory, RULES), undo)
    await this.#kernel.clear()
    if (terms !== undefined) undo.add(() => this.#kernel.put(terms, []))
    const state = setAside(join(directory, STATE), undo)
    undo.forget()
    // With what a call left that did not come to its end.
    removeFiles(rules, state, ...[RULES, STATE].flatMap((name) => leftovers(join(directory, name))))
    try {
      removeLock(join(directory, LOCK))
      rmdirSync(directory)
    } catch {
      // It has something else in it, or is not there.
    }
  }

  /** Whether a start of the machine has the rules that were ordered, in a file that is as it should be. */
  #hasRules(kept: Kept): boolean {
    try {
      const rules = readSafely(join(this.#places.directory, RULES))
      return rules?.startsWith(killSwitchRules(termsOf(kept))) ?? false
    } catch {
      return false
    }
  }

  #keepRules(kept: Kept, nodes: readonly OutsideAddress[]): void {
    requireSafePlace(this.#places.directory)
    writeSafely(
      join(this.#places.directory, RULES),
      killSwitchRules(termsOf(kept)) + nodeRules(usableNodes(nodes)),
      0o600,
    )
  }

  /** @throws WeftError E_KILL_SWITCH_PLACE; an error of the system */
  #kept(): Kept | undefined {
    const text = readSafely(join(this.#places.directory, STATE))
    return text === undefined ? undefined : parseKept(text)
  }

  /** The same for who looks: why it cannot be had where there is something, and whether that is because this user may not read it. */
  #found(): { readonly kept?: Kept | undefined; readonly trouble?: string; readonly isHidden?: boolean } {
    const path = join(this.#places.directory, STATE)
    try {
      const kept = this.#kept()
      return kept === undefined && this.isOrdered
        ? { trouble: `${path} says that it is to be on, and not how` }
        : { kept }
    } catch (error) {
      if (isWeftError(error)) return { trouble: error.cause.replace(/\.$/, '') }
      if (!this.isOrdered) return {}
      const isHidden = (error as NodeJS.ErrnoException).code === 'EACCES'
      return { trouble: `${path} cannot be read: ${messageOf(error)}`, isHidden }
    }
  }

  #reboot(kept: Kept): Reboot {
    const { directory } = this.#places
    if (!termsOf(kept).boot)
      return unprotected('It was put on without the start of the machine (--no-boot).', PUT_AGAIN)
    if (!hasSystemd(this.#places))
      return unprotected(
        'This machine is not run by systemd, whose units would load the rules.',
        `Have ${join(directory, RULES)} loaded before the network is set up (nft -f ${join(directory, RULES)}).`,
      )
    try {
      requireSafePlace(directory)
      const rules = readSafely(join(directory, RULES))
      const why =
        rules === undefined
          ? `${join(directory, RULES)} is missing`
          : rules.startsWith(killSwitchRules(termsOf(kept)))
            ? unitFault(this.#places, join(directory, RULES))
            : `${join(directory, RULES)} was changed`
      return why === undefined ? { isProtected: true, cause: '', fix: '' } : unprotected(`${why}.`, PUT_AGAIN)
    } catch (error) {
      if (isWeftError(error)) return unprotected(error.cause, error.fix)
      return unprotected(`The files of the switch cannot be read: ${messageOf(error)}.`, PUT_AGAIN)
    }
  }
}

/** How what stands differs from what was ordered last. */
function otherwise({ state, terms }: KernelRules, kept: Kept | undefined): string[] {
  if (kept === undefined) return []
  if (state === 'none') return ['the whole table is gone: something else flushed all rules, or deleted it']
  if (terms === undefined) return []
  const { allowLan, uid } = terms
  return [
    ...(allowLan === termsOf(kept).allowLan
      ? []
      : [`the LAN is ${allowLan ? 'allowed' : 'not allowed'}, and was ordered otherwise`]),
    ...(uid === kept.uid ? [] : [`the daemon of the user ${uid} is let out, not that of ${kept.uid}`]),
  ]
}

function makePlace(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o755 })
}

function canMake(directory: string): boolean {
  try {
    makePlace(directory)
    return true
  } catch {
    return existsSync(directory)
  }
}

function requireLinux(): void {
  if (process.platform !== 'linux') throw unavailable('it is made of rules of the Linux kernel (nftables)')
}
