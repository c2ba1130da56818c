import { existsSync, lstatSync, mkdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { readSafely, requireSafePlace, writeSafely } from './safe-place.ts'
import type { Undo } from './undo.ts'

const UNIT = 'weft-killswitch.service'
/** Where units are linked that are started before all others (systemd.special(7)). */
const WANTS = 'sysinit.target.wants'
const NFT = ['/usr/sbin/nft', '/usr/bin/nft', '/sbin/nft', '/bin/nft']

export interface BootPlaces {
  /** Of units of this machine (systemd.unit(5)). */
  readonly units: string
  /** There while systemd runs the machine (sd_booted(3)). */
  readonly systemd: string
}

/** What a start of the machine does to the rules. */
export interface Reboot {
  readonly isProtected: boolean
  /** Why it is not; both empty where it is. */
  readonly cause: string
  readonly fix: string
}

/**
 * Of systemd: loads the rules before any interface is set up (systemd.special(7), network-pre.target), behind services that flush all rules when
 * they start, and again when these are started or loaded anew.
 */
function bootUnit(rules: string): string {
  const nft = NFT.find((path) => existsSync(path)) ?? NFT[0]
  return `# Written by weft vpn killswitch on; weft vpn killswitch off takes it away.
[Unit]
Description=Kill switch of Weft
Documentation=man:nft(8)
DefaultDependencies=no
Wants=network-pre.target
Before=network-pre.target shutdown.target
Conflicts=shutdown.target
RequiresMountsFor=${rules}
After=nftables.service netfilter-persistent.service
PartOf=nftables.service netfilter-persistent.service
ReloadPropagatedFrom=nftables.service netfilter-persistent.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=${nft} -f ${rules}
ExecReload=${nft} -f ${rules}

[Install]
WantedBy=sysinit.target
`
}

/**
 * Has the unit there where rules are to come back with the machine, as far as it is one that has units, and away where not.
 * @throws WeftError E_KILL_SWITCH_PLACE; an error of the system
 */
export function putUnit(places: BootPlaces, rules: string, boot: boolean, undo: Undo): void {
  const hasUnit = isThere(join(places.units, UNIT)) || isThere(join(places.units, WANTS, UNIT))
  if (boot && hasSystemd(places)) {
    if (isInOrder(places, rules)) return
    if (!hasUnit) undo.add(() => removeUnit(places))
    installUnit(places, rules)
  } else if (!boot && hasUnit) {
    undo.add(() => installUnit(places, rules))
    removeUnit(places)
  }
}

/** Has the rules loaded at each start of the machine. @throws WeftError E_KILL_SWITCH_PLACE; an error of the system */
function installUnit(places: BootPlaces, rules: string): void {
  const { units } = places
  requireSafePlace(units)
  writeSafely(join(units, UNIT), bootUnit(rules), 0o644)
  mkdirSync(join(units, WANTS), { recursive: true, mode: 0o755 })
  const link = join(units, WANTS, UNIT)
  rmSync(link, { force: true })
  symlinkSync(join('..', UNIT), link)
}

/** @throws an error of the system */
function removeUnit({ units }: BootPlaces): void {
  try {
    rmSync(join(units, WANTS, UNIT), { force: true })
  } finally {
    rmSync(join(units, UNIT), { force: true })
  }
}

/** Whether this machine is one whose starts a unit can be put into. */
export function hasSystemd({ units, systemd }: BootPlaces): boolean {
  return existsSync(systemd) && existsSync(units)
}

/** What is wrong with the unit; undefined when it loads `rules`. */
export function unitFault(places: BootPlaces, rules: string): string | undefined {
  const path = join(places.units, UNIT)
  if (!isThere(path)) return `${path} is missing`
  if (isMasked(path)) return `${UNIT} is masked`
  requireSafePlace(places.units)
  if (readSafely(path) !== bootUnit(rules)) return `${path} was changed`
  return isThere(join(places.units, WANTS, UNIT)) ? undefined : `${UNIT} is disabled`
}

function isInOrder(places: BootPlaces, rules: string): boolean {
  try {
    return unitFault(places, rules) === undefined
  } catch {
    // What cannot be read is written anew.
    return false
  }
}

function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined
  } catch {
    // Nor where what should be a directory is none.
    return false
  }
}

function isMasked(path: string): boolean {
  return lstatSync(path).isSymbolicLink() && readlinkSync(path) === '/dev/null'
}
