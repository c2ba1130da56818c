import { after } from 'node:test'
import { systemClock } from '@weft/core'
import { testAgainst } from '../packages/s3/test/support/open-server.ts'
import { bucketWorld } from '../packages/storage/test/buckets/bucket-fixture.ts'
import { testCoding } from '../packages/storage/test/support/test-storage.ts'

// What the SDK and raw sockets ask of the S3 server in front of buckets in memory, asked again where they are those of
// real storage: objects in a network of nine holders in memory, names in the sealed catalog and its log.

const coding = testCoding()
testAgainst(async () => bucketWorld({ after }, systemClock, coding).open())

await import('../packages/s3/test/sdk-objects.test.ts')
await import('../packages/s3/test/sdk-lists.test.ts')
await import('../packages/s3/test/sdk-transfers.test.ts')
await import('../packages/s3/test/wire.test.ts')
after(() => coding[Symbol.asyncDispose]())
