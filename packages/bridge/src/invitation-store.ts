import { type Clock, WeftError, fromBase64Url, systemRandom, toBase64Url, toHex } from '@weft/core'
import { ID_BYTES, SECRET_BYTES } from './bridge-line.ts'
import { MAX_INVITATIONS } from './limits.ts'
import { bridgeFile, readSecretFile, writeSecretFile } from './secret-file.ts'

/** An invitation as it may be shown: without the secret. */
export interface BridgeInvitation {
  /** 16 hexadecimal digits. */
  readonly id: string
  readonly name: string
  /** ms since the Unix epoch. */
  readonly createdAt: number
}

interface Stored extends BridgeInvitation {
  /** base64url. */
  readonly secret: string
}

/** What people call an invitation: in lists and command lines. */
export const INVITATION_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** The invitations of a bridge. Their secrets are kept as they are, since both sides compute with them, in a file of mode 0600. */
export class InvitationStore {
  readonly #path: string
  readonly #clock: Pick<Clock, 'now'>
  #invitations: ReadonlyMap<string, Stored>
  #secrets: ReadonlyMap<string, Uint8Array> = new Map()

  /** @throws WeftError E_BRIDGE_FILE */
  constructor(path: string, clock: Pick<Clock, 'now'>) {
    this.#path = path
    this.#clock = clock
    this.#invitations = new Map(read(path).map((each) => [each.id, each]))
    this.#readSecrets()
  }

  list(): readonly BridgeInvitation[] {
    return [...this.#invitations.values()].map(({ id, name, createdAt }) => ({ id, name, createdAt }))
  }

  /** @param id hexadecimal */
  secretOf(id: string): Uint8Array | undefined {
    return this.#secrets.get(id)
  }

  /** @throws WeftError E_BRIDGE_NAME_TAKEN, E_BRIDGE_LIMIT, E_BRIDGE_FILE */
  create(name: string): BridgeInvitation & { readonly secret: Uint8Array } {
    const known = [...this.#invitations.values()]
    if (known.some((each) => each.name === name))
      throw new WeftError({
        code: 'E_BRIDGE_NAME_TAKEN',
        cause: `There is an invitation named '${name}' already.`,
        fix: `Choose another name, or revoke that one: weft bridge revoke ${name}.`,
      })
    if (known.length >= MAX_INVITATIONS)
      throw new WeftError({
        code: 'E_BRIDGE_LIMIT',
        cause: `There are ${MAX_INVITATIONS} invitations, which is the limit.`,
        fix: 'Revoke those that are not used: weft bridge list, weft bridge revoke NAME.',
      })
    const id = toHex(systemRandom.bytes(ID_BYTES))
    const secret = systemRandom.bytes(SECRET_BYTES)
    const made = { id, name, createdAt: this.#clock.now() }
    this.#save([...known, { ...made, secret: toBase64Url(secret) }])
    return { ...made, secret }
  }

  /** @param which an id or a name. @throws WeftError E_BRIDGE_UNKNOWN, E_BRIDGE_FILE */
  revoke(which: string): BridgeInvitation {
    const known = [...this.#invitations.values()]
    const found = known.find(({ id, name }) => id === which || name === which)
    if (found === undefined)
      throw new WeftError({
        code: 'E_BRIDGE_UNKNOWN',
        cause: `There is no invitation with the id or name '${which.slice(0, 64)}'.`,
        fix: 'See weft bridge list.',
      })
    this.#save(known.filter((each) => each !== found))
    return { id: found.id, name: found.name, createdAt: found.createdAt }
  }

  #save(invitations: readonly Stored[]): void {
    writeSecretFile(this.#path, `${JSON.stringify({ schemaVersion: 1, invitations })}\n`)
    this.#invitations = new Map(invitations.map((each) => [each.id, each]))
    this.#readSecrets()
  }

  #readSecrets(): void {
    this.#secrets = new Map([...this.#invitations].map(([id, { secret }]) => [id, fromBase64Url(secret)]))
  }
}

function read(path: string): readonly Stored[] {
  const text = readSecretFile(path)
  if (text === undefined) return []
  const invitations = parse(text)
  if (invitations !== undefined) return invitations
  throw bridgeFile(
    path,
    'it is no list of invitations of schema version 1',
    'Restore it from a backup, or remove it: all invitations are then revoked, and new ones can be made.',
  )
}

function parse(text: string): readonly Stored[] | undefined {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return undefined
  }
  const { schemaVersion, invitations } = (parsed ?? {}) as { schemaVersion?: unknown; invitations?: unknown }
  if (schemaVersion !== 1 || !Array.isArray(invitations) || invitations.length > MAX_INVITATIONS) return undefined
  return invitations.every(isStored) ? invitations : undefined
}

function isStored(value: unknown): value is Stored {
  const { id, name, createdAt, secret } = (value ?? {}) as Record<keyof Stored, unknown>
  return (
    typeof id === 'string' &&
    /^[0-9a-f]{16}$/.test(id) &&
    typeof name === 'string' &&
    INVITATION_NAME.test(name) &&
    Number.isSafeInteger(createdAt) &&
    typeof secret === 'string' &&
    isSecret(secret)
  )
}

function isSecret(text: string): boolean {
  try {
    return fromBase64Url(text).length === SECRET_BYTES
  } catch {
    return false
  }
}
