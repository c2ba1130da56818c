import type { S3KeysAnswer } from '@weft/node'
import { openApi } from '../daemon/open-api.ts'
import { formatTime } from '../output/format.ts'
import { bucketWords } from '../output/s3-words.ts'
import { formatTable } from '../output/table.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const { keys } = await openApi(invocation).json<S3KeysAnswer>('GET', '/api/v1/s3/keys', undefined, { signal })
  output.document({ keys })
  if (keys.length === 0) {
    output.note('There are no keys of the S3 API. To make one: weft s3 key create')
    return
  }
  const rows = keys.map(({ accessKeyId, name, buckets, access, createdAt }) => [
    accessKeyId,
    name === accessKeyId ? '' : name,
    bucketWords(buckets),
    access,
    formatTime(createdAt),
  ])
  output.print(...formatTable(['KEY', 'NAME', 'BUCKETS', 'ACCESS', 'CREATED'], rows))
}
