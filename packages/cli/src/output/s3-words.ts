import { counted } from '@weft/core'
import type { NewS3KeyAnswer, StatusAnswer } from '@weft/node'

export function bucketWords(buckets: readonly string[] | undefined): string {
  return buckets === undefined ? 'all' : buckets.join(',')
}

/** What a key is for. */
export function s3KeyWords({ buckets, access }: Pick<NewS3KeyAnswer, 'buckets' | 'access'>): string {
  const which = buckets === undefined ? 'all buckets' : buckets.join(', ')
  return `${access === 'read' ? 'reads' : 'reads and writes'} ${which}`
}

/** How the S3 API stands. */
export function s3Words({ state, host, port, keys }: StatusAnswer['s3']): string {
  if (state === 'down')
    return keys === 0
      ? 'down; weft s3 key create makes a key and starts it'
      : `down by s3.server; ${counted(keys, 'key')}`
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}, ${counted(keys, 'key')}`
}
