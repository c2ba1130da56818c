import { isWeftError } from '@weft/core'
import { joinNetwork } from '@weft/devnet'
import { ownHomeOf } from '../daemon/home.ts'
import { joinWords } from '../output/join-words.ts'
import { configuredRoles } from '../program/configured-roles.ts'
import type { Invocation } from '../program/invocation.ts'
import { secretArgument } from '../program/secret-argument.ts'

/** Characters of a join token, with room. */
const MAX_LINE = 8 * 1024

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const home = ownHomeOf(invocation)
  const token = await secretArgument(invocation, {
    name: 'join token',
    limit: MAX_LINE,
    source: 'weft network invite',
  })
  const joined = await joinNetwork({ token, home, bridges: invocation.texts('bridge'), signal })
  const { id, name, path, node, invitation } = joined
  output.document({ id, name, path, node, invitation: invitation ?? null })
  output.print(`network  ${name} (${id})`, `file     ${path}`, `node     ${node}`)
  output.note(joinWords(joined, home, await rolesOf(home, invocation.env)))
}

/** It has joined whatever weft.toml says: what is wrong there the start tells. */
async function rolesOf(home: string, env: NodeJS.ProcessEnv): Promise<readonly string[] | undefined> {
  try {
    return await configuredRoles(home, env)
  } catch (error) {
    if (isWeftError(error)) return undefined
    throw error
  }
}
