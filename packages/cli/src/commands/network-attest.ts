import { quoted } from '@weft/devnet'
import type { AttestationAnswer, NetworkAnswer } from '@weft/node'
import { memberNamed } from '../daemon/member-named.ts'
import { openApi } from '../daemon/open-api.ts'
import { attestationWords } from '../output/attestation-words.ts'
import { formatTime, shortId } from '../output/format.ts'
import type { Invocation } from '../program/invocation.ts'
import { usageError } from '../program/usage-error.ts'

/** As much as the API takes, gCO2/kWh. */
const MAX_CARBON = 2_000
/** As the API takes it. */
const GRID = /^[A-Z]{2}(-[A-Z0-9]{1,8}){0,2}$/
/** As short as the API takes. */
const MIN_SECONDS = 1

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const ttlMs = invocation.duration('expires', MIN_SECONDS)
  const carbon = invocation.integer('carbon', 0, MAX_CARBON)
  const grid = invocation.text('grid')
  const source = invocation.text('source')
  if (grid !== undefined && !GRID.test(grid)) {
    throw usageError(
      `--grid ${quoted(grid)} is no zone of a grid.`,
      'Write a country in two capital letters or a zone of it, e.g. --grid CH or --grid US-TEX-ERCO.',
    )
  }
  if (grid === undefined && source === undefined && carbon === undefined) {
    throw usageError('Nothing to attest is given.', 'Give one or more of --grid, --source and --carbon.')
  }
  const api = openApi(invocation)
  const node = await memberNamed(api, invocation.argument(0), signal)
  const { network } = await api.json<NetworkAnswer>('GET', '/api/v1/network', undefined, { signal })
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
  const short = attestationWords(ttlMs, network.certificateTtlMs)
  if (short !== undefined) output.note(short)
  output.print(answer.attestation)
}
