import { existsSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { WeftError } from '@weft/core'
import { runCommand } from './run-command.ts'

/** Programs, by who runs them and by where the system groups them, as settings and profiles name them. */
export interface ProgramNames {
  /** Names or numbers. */
  readonly users: readonly string[]
  /** Paths of cgroup v2, as /proc/PID/cgroup has them. */
  readonly cgroups: readonly string[]
}

/** Where such a list stands, for whoever has to correct it. */
export interface ListPlace {
  /** Begins a sentence: `vpn.tun_exclude_users`. */
  readonly name: string
  /** What makes it so, once it is known what it should be; ends a sentence. */
  readonly remedy: string
}

export type ListPlaces = Readonly<Record<keyof ProgramNames, ListPlace>>

/** The same as nft(8) takes them. */
export interface Programs {
  readonly uids: readonly number[]
  /** Those that are in it or below it. */
  readonly cgroups: readonly { readonly path: string; readonly level: number }[]
}

/** The one above it says that there is none (credentials(7)). */
const MOST_UID = 2 ** 32 - 2
/** Where nft looks for the paths that it is given. */
const CGROUPS = '/sys/fs/cgroup'

/**
 * Finds users and cgroups on this machine.
 * @param mounts what the system has mounted (proc_pid_mountinfo(5))
 * @throws WeftError E_TUN_SPLIT
 */
export async function findPrograms(
  { users, cgroups }: ProgramNames,
  places: ListPlaces,
  mounts = readMounts(),
): Promise<Programs> {
  const uids = await Promise.all(users.map((user) => findUser(user, places.users)))
  return { uids: [...new Set(uids)], cgroups: findCgroups(cgroups, places.cgroups, mounts) }
}

async function findUser(user: string, { name, remedy }: ListPlace): Promise<number> {
  if (/^\d+$/.test(user) && Number(user) <= MOST_UID) return Number(user)
  try {
    // Asks what the machine asks for its users, which need not stand in a file.
    const uid = (await runCommand('id', ['-u', '--', user])).trim()
    if (/^\d+$/.test(uid) && Number(uid) <= MOST_UID) return Number(uid)
  } catch {
    // There is none.
  }
  throw split(
    `${name} names ${user}, a user that this machine does not have.`,
    `Name one that it has (getent passwd tells them), or its number: ${remedy}.`,
  )
}

function findCgroups(paths: readonly string[], { name, remedy }: ListPlace, mounts: string): Programs['cgroups'] {
  if (paths.length === 0) return []
  const root = /^(?:\S+ ){4}(\S+) .* - cgroup2 /m.exec(mounts)?.[1]
  if (root === undefined)
    throw split(
      `${name} names cgroups, and cgroup v2 is not mounted on this machine.`,
      `Mount it (${mountCommand(mounts)}), or go by users; then ${remedy}.`,
    )
  return paths.map((path) => {
    const names = path.split('/').filter((name) => name !== '')
    const directory = join(root, ...names)
    if (!existsSync(join(directory, 'cgroup.procs')))
      throw split(
        `${name} names ${path}, a cgroup that is not there (${directory}).`,
        `Name one as /proc/PID/cgroup has it behind 0::, and see that it is there before the tunnel is; then ${remedy}.`,
      )
    return { path: relative(CGROUPS, directory), level: names.length }
  })
}

/** Elsewhere than at the usual place where that has what would be covered: cgroup v1, whose hierarchies are mounted below it. */
function mountCommand(mounts: string): string {
  const isTaken = /^(?:\S+ ){4}\/sys\/fs\/cgroup[/ ]/m.test(mounts)
  return isTaken ? 'mkdir /run/cgroup2 && mount -t cgroup2 none /run/cgroup2' : `mount -t cgroup2 none ${CGROUPS}`
}

function readMounts(): string {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8')
  } catch {
    return ''
  }
}

function split(cause: string, fix: string): WeftError {
  return new WeftError({ code: 'E_TUN_SPLIT', cause, fix })
}
