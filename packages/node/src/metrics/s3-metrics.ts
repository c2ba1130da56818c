import type { S3Door } from '../s3/s3-door.ts'
import { type Metric, counter, gauge, one } from './metric.ts'

/** Of the S3 API; nothing says what was asked for. */
export function s3Metrics(s3: Pick<S3Door, 'status' | 'answers'>): Metric[] {
  const { state, keys, running } = s3.status()
  return [
    gauge('weft_s3_up', 'Whether the S3 server listens.', one(state === 'up' ? 1 : 0)),
    gauge('weft_s3_keys', 'Keys of the S3 API.', one(keys)),
    gauge('weft_s3_requests_running', 'Requests to the S3 API that are under way.', one(running)),
    counter(
      'weft_s3_requests_total',
      'Requests to the S3 API that were answered.',
      s3.answers().map(({ method, status, count }) => ({ labels: { method, status: String(status) }, value: count })),
      ['method', 'status'],
    ),
  ]
}
