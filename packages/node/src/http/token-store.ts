import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { type Clock, WeftError, messageOf, systemRandom, toBase32 } from '@weft/core'
import type { Principal } from './principal.ts'
import { type Grant, isGrant } from './scopes.ts'
import { newSecret, secretHash } from './secret.ts'

/** A token as it may be shown: without the secret, which nobody but its holder has. */
export interface TokenInfo {
  readonly id: string
  readonly name: string
  readonly scopes: readonly Grant[]
  /** ms since the epoch. */
  readonly createdAt: number
  /** ms since the epoch. */
  readonly expiresAt: number
}

interface StoredToken extends TokenInfo {
  /** secretHash of the token. */
  readonly hash: string
}

const MAX_TOKENS = 256
const PREFIX = 'weft_'

/** Bearer tokens of one node, kept hashed in a file of mode 0600. */
export class TokenStore {
  readonly #path: string
  readonly #clock: Clock
  #tokens: readonly StoredToken[]

  /** @throws WeftError E_TOKENS_FILE when the file is there and cannot be used */
  constructor(path: string, clock: Clock) {
    this.#path = path
    this.#clock = clock
    this.#tokens = readTokens(path)
  }

  list(): readonly TokenInfo[] {
    return this.#live().map(({ id, name, scopes, createdAt, expiresAt }) => ({
      id,
      name,
      scopes,
      createdAt,
      expiresAt,
    }))
  }

  /**
   * Makes a token; its secret is in the answer and nowhere else.
   * @throws WeftError E_TOKEN_NAME_TAKEN, E_TOKEN_LIMIT, E_TOKENS_FILE
   */
  create(name: string, scopes: readonly Grant[], ttlMs: number): TokenInfo & { readonly token: string } {
    const live = this.#live()
    if (live.some((token) => token.name === name)) {
      throw new WeftError({
        code: 'E_TOKEN_NAME_TAKEN',
        cause: `There is a token named '${name}' already.`,
        fix: `Choose another name, or revoke that one: weft token revoke ${name}.`,
      })
    }
    if (live.length >= MAX_TOKENS) {
      throw new WeftError({
        code: 'E_TOKEN_LIMIT',
        cause: `There are ${MAX_TOKENS} tokens, which is the limit.`,
        fix: 'Revoke those that are not used: weft token list, weft token revoke NAME.',
      })
    }
    const token = `${PREFIX}${newSecret()}`
    const now = this.#clock.now()
    const info = { id: toBase32(systemRandom.bytes(5)), name, scopes, createdAt: now, expiresAt: now + ttlMs }
    this.#save([...live, { ...info, hash: secretHash(token) }])
    return { ...info, token }
  }

  /** @param which an id or a name. @throws WeftError E_TOKEN_UNKNOWN, E_TOKENS_FILE */
  revoke(which: string): TokenInfo {
    const found = this.list().find(({ id, name }) => id === which || name === which)
    if (found === undefined) {
      throw new WeftError({
        code: 'E_TOKEN_UNKNOWN',
        cause: `There is no token with the id or name '${which.slice(0, 64)}'.`,
        fix: 'See weft token list.',
      })
    }
    this.#save(this.#live().filter(({ id }) => id !== found.id))
    return found
  }

  /** Who presents this token; undefined when it is unknown, revoked or expired. */
  principalOf(token: string): Principal | undefined {
    const hash = secretHash(token)
    const found = this.#live().find((known) => known.hash === hash)
    return found === undefined ? undefined : { kind: 'token', name: found.name, grants: found.scopes }
  }

  #live(): readonly StoredToken[] {
    const now = this.#clock.now()
    return this.#tokens.filter(({ expiresAt }) => expiresAt > now)
  }

  #save(tokens: readonly StoredToken[]): void {
    const temporary = `${this.#path}.new`
    try {
      writeFileSync(temporary, `${JSON.stringify({ schemaVersion: 1, tokens })}\n`, { mode: 0o600, flush: true })
      renameSync(temporary, this.#path)
    } catch (error) {
      rmSync(temporary, { force: true })
      throw tokensFile(this.#path, messageOf(error), 'Make room on the disk and the home writable, and try again.')
    }
    this.#tokens = tokens
  }
}

function readTokens(path: string): readonly StoredToken[] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw tokensFile(path, messageOf(error), 'Make it readable for the user that runs the daemon.')
  }
  const tokens = parseTokens(text)
  if (tokens === undefined)
    throw tokensFile(
      path,
      'it is not a list of tokens of schema version 1',
      'Remove it: all tokens are then revoked, and new ones can be made.',
    )
  return tokens
}

function parseTokens(text: string): readonly StoredToken[] | undefined {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return undefined
  }
  const { schemaVersion, tokens } = (parsed ?? {}) as { schemaVersion?: unknown; tokens?: unknown }
  return schemaVersion === 1 && Array.isArray(tokens) && tokens.length <= MAX_TOKENS && tokens.every(isStoredToken)
    ? tokens
    : undefined
}

function isStoredToken(value: unknown): value is StoredToken {
  const token = (value ?? {}) as Record<keyof StoredToken, unknown>
  const { id, name, hash, scopes, createdAt, expiresAt } = token
  return (
    [id, name, hash].every((field) => typeof field === 'string' && field.length > 0 && field.length <= 64) &&
    [createdAt, expiresAt].every((time) => Number.isSafeInteger(time)) &&
    Array.isArray(scopes) &&
    scopes.every((scope) => typeof scope === 'string' && isGrant(scope))
  )
}

function tokensFile(path: string, why: string, fix: string): WeftError {
  return new WeftError({ code: 'E_TOKENS_FILE', cause: `The token file ${path} cannot be used: ${why}.`, fix })
}
