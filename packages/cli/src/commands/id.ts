import { WeftError, isWeftError } from '@weft/core'
import { readHomeIds } from '@weft/devnet'
import type { IdAnswer } from '@weft/node'
import { openApi } from '../daemon/open-api.ts'
import { homeOf } from '../daemon/home.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { node, person } = await idsOf(invocation)
  invocation.output.document({ node, person: person ?? null })
  invocation.output.print(
    `node    ${node}`,
    `person  ${person ?? 'none yet: its key is made when the daemon starts for the first time'}`,
  )
}

/** Of the daemon, which may be another user's; where none runs, of the keys in the home. */
async function idsOf(invocation: Invocation): Promise<{ readonly node: string; readonly person?: string | undefined }> {
  try {
    return await openApi(invocation).json<IdAnswer>('GET', '/api/v1/id', undefined, { signal: invocation.signal })
  } catch (error) {
    if (!isWeftError(error, 'E_DAEMON_NOT_RUNNING')) throw error
    const home = homeOf(invocation)
    const ids = readHomeIds(home)
    if (ids !== undefined) return ids
    throw new WeftError({
      ...error.toJSON(),
      cause: `No daemon runs in ${home}, and no key of a node is there.`,
      fix: 'Make one: weft init. Another home is named with --home or WEFT_HOME.',
      origin: error,
    })
  }
}
