import type { NewS3KeyAnswer } from '@weft/node'
import { openApi } from '../daemon/open-api.ts'
import { s3KeyWords } from '../output/s3-words.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const name = invocation.text('name')
  const buckets = invocation.texts('bucket')
  const { schemaVersion: _, ...key } = await openApi(invocation).json<NewS3KeyAnswer>(
    'POST',
    '/api/v1/s3/keys',
    {
      ...(name !== undefined && { name }),
      ...(buckets.length > 0 && { buckets }),
      access: invocation.flag('readOnly') ? 'read' : 'write',
    },
    { signal },
  )
  output.document(key)
  output.note(`A key of the S3 API at ${key.endpoint} (${s3KeyWords(key)}). Its secret is shown this once:`)
  output.print(`AWS_ACCESS_KEY_ID=${key.accessKeyId}`, `AWS_SECRET_ACCESS_KEY=${key.secretAccessKey}`)
}
