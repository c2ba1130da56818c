import { S3, type S3ClientConfig } from '@aws-sdk/client-s3'
import type { Credential } from '../../src/index.ts'
import type { TestServer } from './open-server.ts'

/** The AWS SDK as people set it up, which it is not told that this is not AWS beyond its endpoint. */
export function sdkClient(server: TestServer, key: Credential = server.keys.all, more: S3ClientConfig = {}): S3 {
  const { accessKeyId, secretAccessKey } = key
  return new S3({
    endpoint: server.endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: { accessKeyId, secretAccessKey },
    ...more,
  })
}

/** What the SDK throws for an answer with that code. */
export function answered(code: string, status?: number) {
  return (error: unknown): boolean => {
    const { name, $metadata, Code } = error as {
      name: string
      Code?: string
      $metadata?: { httpStatusCode?: number }
    }
    const is = (name === code || Code === code) && (status === undefined || $metadata?.httpStatusCode === status)
    if (!is) throw new Error(`not ${code} ${status ?? ''}, but ${name} ${$metadata?.httpStatusCode}`, { cause: error })
    return true
  }
}
