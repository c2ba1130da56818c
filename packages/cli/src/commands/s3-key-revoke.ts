import type { RevokedS3KeyAnswer } from '@weft/node'
import { openApi } from '../daemon/open-api.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const path = `/api/v1/s3/keys/${encodeURIComponent(invocation.argument(0))}`
  const { revoked } = await openApi(invocation).json<RevokedS3KeyAnswer>('DELETE', path, undefined, { signal })
  output.document({ revoked })
  output.note(`The key ${revoked.accessKeyId} of the S3 API is revoked.`)
}
