import { isWeftError } from '@weft/core'
import { ApiClient } from '@weft/devnet'
import {
  type ChangedVpnProfileAnswer,
  type DeletedVpnProfileAnswer,
  type ImportedVpnProfileAnswer,
  type VpnProfileAnswer,
  type VpnProfileDocumentAnswer,
  type VpnProfilesAnswer,
  homeProfiles,
  loadConfig,
} from '@weft/node'
import type { Invocation } from '../program/invocation.ts'
import { homeOf } from './home.ts'

type Alone = Awaited<ReturnType<typeof homeProfiles>>
type Of<T> = Omit<T, 'schemaVersion'>

interface PutQuery {
  readonly replace: boolean
  readonly check: boolean
}

const PROFILES = '/api/v1/vpn/profiles'

/** The profiles of a home: by its daemon, which follows each change; where none runs by the file that it reads when it starts. */
export class ProfileDesk {
  readonly #home: string
  readonly #invocation: Invocation
  #isRunning = true

  /** Of the home that the command names. */
  constructor(invocation: Invocation) {
    this.#home = homeOf(invocation)
    this.#invocation = invocation
  }

  /** Whether a daemon answered what was asked last. */
  get isRunning(): boolean {
    return this.#isRunning
  }

  list(): Promise<Of<VpnProfilesAnswer>> {
    return this.#ask<VpnProfilesAnswer>('GET', PROFILES, undefined, (alone) => ({
      profiles: alone.list(),
      pending: alone.pending,
    }))
  }

  async get(name: string): Promise<VpnProfileAnswer['profile']> {
    const { profile } = await this.#ask<VpnProfileAnswer>('GET', pathOf(name), undefined, (alone) => ({
      profile: alone.get(name),
    }))
    return profile
  }

  put(name: string, fields: object, query: PutQuery): Promise<Of<ChangedVpnProfileAnswer>> {
    const path = `${pathOf(name)}?${queryOf(query)}`
    return this.#ask<ChangedVpnProfileAnswer>('PUT', path, fields, (alone) => alone.put(name, fields, modeOf(query)))
  }

  async delete(name: string): Promise<void> {
    await this.#ask<DeletedVpnProfileAnswer>('DELETE', pathOf(name), undefined, async (alone) => {
      await alone.delete(name)
      return { deleted: name }
    })
  }

  use(name: string): Promise<Of<ChangedVpnProfileAnswer>> {
    return this.#ask<ChangedVpnProfileAnswer>('POST', `${pathOf(name)}/use`, undefined, (alone) => alone.use(name))
  }

  export(name: string): Promise<Of<VpnProfileDocumentAnswer>> {
    return this.#ask<VpnProfileDocumentAnswer>('GET', `${pathOf(name)}/export`, undefined, (alone) =>
      alone.export(name),
    )
  }

  import(document: unknown, query: PutQuery, name: string | undefined): Promise<Of<ImportedVpnProfileAnswer>> {
    const path = `${PROFILES}/import?${queryOf(query)}${name === undefined ? '' : `&name=${encodeURIComponent(name)}`}`
    return this.#ask<ImportedVpnProfileAnswer>('POST', path, document, (alone) =>
      alone.import(document, { ...modeOf(query), name }),
    )
  }

  async #ask<T extends { readonly schemaVersion: 1 }>(
    method: 'GET' | 'PUT' | 'POST' | 'DELETE',
    path: string,
    body: unknown,
    alone: (profiles: Alone) => Promise<Of<T>> | Of<T>,
  ): Promise<Of<T>> {
    const { signal, env } = this.#invocation
    try {
      return await new ApiClient(this.#home).json<T>(method, path, body, { signal })
    } catch (error) {
      if (!isWeftError(error, 'E_DAEMON_NOT_RUNNING')) throw error
      this.#isRunning = false
      return alone(await homeProfiles(await loadConfig(['--home', this.#home], env)))
    }
  }
}

function pathOf(name: string): string {
  return `${PROFILES}/${encodeURIComponent(name)}`
}

function queryOf({ replace, check }: PutQuery): string {
  return `replace=${replace}&check=${check}`
}

function modeOf({ replace, check }: PutQuery): { readonly mode: 'replace' | 'create'; readonly check: boolean } {
  return { mode: replace ? 'replace' : 'create', check }
}
