import { after } from 'node:test'
import { systemClock } from '@weft/core'
import { testAgainst } from '../packages/s3/test/support/open-server.ts'
import { bucketWorld } from '../packages/storage/test/buckets/bucket-fixture.ts'
import { testCoding } from '../packages/storage/test/support/test-storage.ts'

// The cases of docs/specs/s3-cases.md, which run against buckets in memory, against those of real storage.

const coding = testCoding()
testAgainst(async () => bucketWorld({ after }, systemClock, coding).open())

await import('../packages/s3/test/cases/atomic.test.ts')
await import('../packages/s3/test/cases/buckets.test.ts')
await import('../packages/s3/test/cases/checksums.test.ts')
await import('../packages/s3/test/cases/conditional.test.ts')
await import('../packages/s3/test/cases/copy.test.ts')
await import('../packages/s3/test/cases/delete-many.test.ts')
await import('../packages/s3/test/cases/headers.test.ts')
await import('../packages/s3/test/cases/listing-folded.test.ts')
await import('../packages/s3/test/cases/listing.test.ts')
await import('../packages/s3/test/cases/multipart.test.ts')
await import('../packages/s3/test/cases/objects.test.ts')
await import('../packages/s3/test/cases/presign.test.ts')
await import('../packages/s3/test/cases/range.test.ts')
await import('../packages/s3/test/cases/refused.test.ts')
await import('../packages/s3/test/cases/tagging.test.ts')
await import('../packages/s3/test/cases/versioning.test.ts')
after(() => coding[Symbol.asyncDispose]())
