import type { IdAnswer } from '@weft/node'
import { openApi } from '../daemon/open-api.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { node, person } = await openApi(invocation).json<IdAnswer>('GET', '/api/v1/id', undefined, {
    signal: invocation.signal,
  })
  invocation.output.document({ node, person })
  invocation.output.print(`node    ${node}`, `person  ${person}`)
}
