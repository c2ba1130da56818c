import { readFileSync, statSync } from 'node:fs'
import { WeftError, isWeftError, messageOf, replaceFile } from '@weft/core'
import { BUILT_IN_PROFILES, DEFAULT_PROFILE, isBuiltIn } from './built-in-profiles.ts'
import { parseProfile, parseProfileName, requireObject, writtenProfile } from './parse-profile.ts'
import type { Profile } from './profile.ts'

/** In the home of a node. */
export const PROFILES_FILE = 'vpn-profiles.json'

const MAX_PROFILES = 64
/** Of 64 profiles of 32 KiB, with room for what is around them. */
const MAX_FILE_BYTES = 65 * 33 * 1_024

/** Whether one of the name may be there already. */
export type PutMode = 'create' | 'replace'

interface Stored {
  /** The name of the one in use. */
  readonly use: string
  /** Without those that are built in, in the order of their names. */
  readonly profiles: readonly Profile[]
}

/** Of a file: another one, or one that was written to, has another. */
interface FileState {
  readonly ino: bigint
  readonly size: bigint
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
}

/**
 * The profiles of a node and which is in use, in a file of mode 0600 that is replaced whole (docs/specs/profiles.md, File). It is looked at for
 * each question, and read where it is another than before, so that nothing here is ever older than the file. All methods throw WeftError E_PROFILES_FILE where it cannot be used.
 */
export class ProfilesFile {
  readonly #path: string
  #known: { readonly state: FileState; readonly stored: Stored } | undefined

  constructor(path: string) {
    this.#path = path
  }

  /** Those that are built in first, then the others by name. */
  list(): readonly Profile[] {
    return [...BUILT_IN_PROFILES, ...this.#read().profiles]
  }

  get inUse(): Profile {
    const { use, profiles } = this.#read()
    return find(use, profiles)
  }

  /** @throws WeftError E_PROFILE_UNKNOWN */
  get(name: string): Profile {
    return find(name, this.#read().profiles)
  }

  /** @throws WeftError E_PROFILE_BUILT_IN, E_PROFILE_EXISTS, E_PROFILE_LIMIT: why one cannot be written */
  checkPut(name: string, mode: PutMode): void {
    if (isBuiltIn(name)) throw builtIn(name, 'changed')
    const { profiles } = this.#read()
    const exists = profiles.some((profile) => profile.name === name)
    if (exists && mode === 'create')
      throw new WeftError({
        code: 'E_PROFILE_EXISTS',
        cause: `There is a profile named '${name}' already.`,
        fix: `Choose another name, or change that one: weft vpn profile set ${name}. A document takes its place with weft vpn profile import --replace.`,
      })
    if (!exists && profiles.length >= MAX_PROFILES)
      throw new WeftError({
        code: 'E_PROFILE_LIMIT',
        cause: `There are ${MAX_PROFILES} profiles, which is the limit.`,
        fix: 'Delete one that is not needed: weft vpn profile delete NAME.',
      })
  }

  /** @throws WeftError as `checkPut` */
  put(profile: Profile, mode: PutMode): void {
    this.checkPut(profile.name, mode)
    const { use, profiles } = this.#read()
    const others = profiles.filter(({ name }) => name !== profile.name)
    this.#write({ use, profiles: [...others, profile].sort((a, b) => (a.name < b.name ? -1 : 1)) })
  }

  /** @throws WeftError E_PROFILE_BUILT_IN, E_PROFILE_UNKNOWN, E_PROFILE_IN_USE */
  delete(name: string): void {
    if (isBuiltIn(name)) throw builtIn(name, 'deleted')
    const { use, profiles } = this.#read()
    find(name, profiles)
    if (use === name)
      throw new WeftError({
        code: 'E_PROFILE_IN_USE',
        cause: `The profile '${name}' is in use.`,
        fix: `Use another one first: weft vpn profile use ${DEFAULT_PROFILE}; then weft vpn profile delete ${name}.`,
      })
    this.#write({ use, profiles: profiles.filter((profile) => profile.name !== name) })
  }

  /** @throws WeftError E_PROFILE_UNKNOWN */
  use(name: string): void {
    const { use, profiles } = this.#read()
    find(name, profiles)
    if (use !== name) this.#write({ use: name, profiles })
  }

  #read(): Stored {
    try {
      const { ino, size, mtimeNs, ctimeNs, mode } = statSync(this.#path, { bigint: true })
      const state = { ino, size, mtimeNs, ctimeNs }
      if (this.#known !== undefined && isSame(this.#known.state, state)) return this.#known.stored
      this.#known = undefined
      this.#refuse(size, mode)
      const stored = this.#parse(readFileSync(this.#path, 'utf8'))
      this.#known = { state, stored }
      return stored
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { use: DEFAULT_PROFILE, profiles: [] }
      if (isWeftError(error)) throw error
      throw unusable(this.#path, messageOf(error), 'Make it readable for the user that runs the daemon.')
    }
  }

  #refuse(size: bigint, mode: bigint): void {
    if (size > MAX_FILE_BYTES) throw unusable(this.#path, `it has ${size} bytes; the limit is ${MAX_FILE_BYTES}`)
    if ((mode & 0o077n) === 0n) return
    throw unusable(
      this.#path,
      `others may read it (mode ${(mode & 0o777n).toString(8)})`,
      `Look whether it is as it was left, then run chmod 600 ${this.#path}.`,
    )
  }

  #parse(text: string): Stored {
    try {
      return parseStored(text)
    } catch (error) {
      throw unusable(this.#path, isWeftError(error) ? error.cause.replace(/\.$/, '') : messageOf(error))
    }
  }

  #write({ use, profiles }: Stored): void {
    const text = `${JSON.stringify({ schemaVersion: 1, use, profiles: profiles.map(writtenProfile) }, undefined, 2)}\n`
    try {
      replaceFile(this.#path, text)
    } catch (error) {
      throw unusable(this.#path, messageOf(error), 'Make room on the disk and the home writable, and try again.')
    }
  }
}

function isSame(a: FileState, b: FileState): boolean {
  return a.ino === b.ino && a.size === b.size && a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs
}

/** @throws WeftError E_PROFILE_INVALID, Error: what is wrong with it */
function parseStored(text: string): Stored {
  const { schemaVersion, use, profiles, ...more } = requireObject(JSON.parse(text), 'the file')
  if (schemaVersion !== 1) throw new Error('it is not of schema version 1')
  if (Object.keys(more).length > 0)
    throw new Error(`there is no field '${(Object.keys(more)[0] as string).slice(0, 64)}'`)
  if (!Array.isArray(profiles) || profiles.length > MAX_PROFILES)
    throw new Error(`profiles must be a list of at most ${MAX_PROFILES}`)
  const parsed = profiles.map(parseProfile)
  const names = parsed.map(({ name }) => name)
  const wrong = names.find((name, at) => isBuiltIn(name) || names.indexOf(name) !== at)
  if (wrong !== undefined) throw new Error(`it has '${wrong}' twice, or in the place of one that is built in`)
  const used = parseProfileName(use)
  if (!isBuiltIn(used) && !names.includes(used)) throw new Error(`the one in use, '${used}', is not there`)
  return { use: used, profiles: parsed }
}

function find(name: string, profiles: readonly Profile[]): Profile {
  const found = [...BUILT_IN_PROFILES, ...profiles].find((profile) => profile.name === name)
  if (found !== undefined) return found
  throw new WeftError({
    code: 'E_PROFILE_UNKNOWN',
    cause: `There is no profile named '${name.slice(0, 64)}'.`,
    fix: 'See weft vpn profile list.',
  })
}

function builtIn(name: string, what: 'changed' | 'deleted'): WeftError {
  return new WeftError({
    code: 'E_PROFILE_BUILT_IN',
    cause: `The profile '${name}' is built in and cannot be ${what}.`,
    fix:
      what === 'deleted'
        ? 'Nothing to do: profiles that are built in stay. weft vpn profile list shows which can be deleted.'
        : `Copy it, and change the copy: weft vpn profile copy ${name} NAME.${
            name === DEFAULT_PROFILE ? ' What it says of the tunnel and DNS are settings: weft config explain vpn.' : ''
          }`,
  })
}

function unusable(
  path: string,
  why: string,
  fix = 'Correct it, or move it away: then there are the profiles that are built in, and default is in use.',
): WeftError {
  return new WeftError({ code: 'E_PROFILES_FILE', cause: `The file ${path} cannot be used: ${why}.`, fix })
}
