import type { AttestationAnswer } from '@weft/node'
import { memberNamed } from '../daemon/member-named.ts'
import { openApi } from '../daemon/open-api.ts'
import { formatTime, shortId } from '../output/format.ts'
import type { Invocation } from '../program/invocation.ts'

/** As much as the API takes, gCO2/kWh. */
const MAX_CARBON = 2_000

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const api = openApi(invocation)
  const ttlMs = invocation.duration('expires')
  const carbon = invocation.integer('carbon', 0, MAX_CARBON)
  const grid = invocation.text('grid')
  const source = invocation.text('source')
  const node = await memberNamed(api, invocation.argument(0), signal)
  const answer = await api.json<AttestationAnswer>(
    'POST',
    '/api/v1/network/attestations',
    {
      node,
      ...(grid !== undefined && { grid }),
      ...(source !== undefined && { source }),
      ...(carbon !== undefined && { carbon }),
      ...(ttlMs !== undefined && { ttlMs }),
    },
    { signal },
  )
  output.document({ ...answer })
  output.note(
    `Attested by ${shortId(answer.attester)} of ${shortId(answer.node)}, until ${formatTime(answer.notAfter)}. Its operator sets it as resources.attestation in weft.toml, and starts the node again. It is no secret.`,
  )
  output.print(answer.attestation)
}
