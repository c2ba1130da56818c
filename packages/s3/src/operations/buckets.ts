import { type Answer, type BucketExchange, type Exchange, numberOf, xmlAnswer } from '../exchange.ts'
import { mayUse } from '../auth/permission.ts'
import { checkAcl } from '../http/object-headers.ts'
import { decodeUtf8 } from '../http/percent.ts'
import { MAX_XML_BYTES } from '../limits.ts'
import { S3Error } from '../s3-error.ts'
import { means } from '../translate-fault.ts'
import { childText, readXml } from '../xml/read-xml.ts'
import { type XmlNode, writeXml } from '../xml/write-xml.ts'
import { ownerNode } from './nodes.ts'

const MAX_BUCKETS = 10_000
/** A name of labels that a host may have, as it stands before a domain. */
const BUCKET_NAME = /^(?=.{3,63}$)[a-z0-9]+(-+[a-z0-9]+)*(\.[a-z0-9]+(-+[a-z0-9]+)*)*$/
const IP_ADDRESS = /^\d+\.\d+\.\d+\.\d+$/

/** Those that the key may use. */
export function listBuckets({ buckets, owner, query, caller, region }: Exchange): Answer {
  const limit = numberOf(query, 'max-buckets', MAX_BUCKETS, MAX_BUCKETS)
  const prefix = query.get('prefix') ?? ''
  const after = decodeUtf8(Buffer.from(query.get('continuation-token') ?? '', 'base64url')) ?? ''
  const found = buckets
    .all()
    .filter(
      ({ name }) => mayUse(caller.credential.scope, name) && name.startsWith(prefix) && (after === '' || name > after),
    )
  const shown = found.slice(0, limit)
  const last = shown.at(-1)
  return xmlAnswer(
    writeXml('ListAllMyBucketsResult', [
      ownerNode(owner),
      [
        'Buckets',
        shown.map(({ name, createdAt }): XmlNode => [
          'Bucket',
          [
            ['Name', name],
            ['CreationDate', new Date(createdAt).toISOString()],
            ['BucketRegion', region],
          ],
        ]),
      ],
      ['Prefix', prefix === '' ? undefined : prefix],
      [
        'ContinuationToken',
        last === undefined || shown.length === found.length ? undefined : Buffer.from(last.name).toString('base64url'),
      ],
    ]),
  )
}

export async function createBucket({ buckets, bucket, body, headers, region }: BucketExchange): Promise<Answer> {
  if (!BUCKET_NAME.test(bucket) || IP_ADDRESS.test(bucket)) throw new S3Error('InvalidBucketName')
  checkAcl(headers)
  if ((headers.get('x-amz-object-ownership') ?? 'BucketOwnerEnforced') !== 'BucketOwnerEnforced')
    throw new S3Error('AccessControlListNotSupported')
  if (headers.get('x-amz-bucket-object-lock-enabled')?.toLowerCase() === 'true')
    throw new S3Error('NotImplemented', 'Object Lock is not supported.')
  const bytes = await body.all(MAX_XML_BYTES)
  if (bytes.length > 0) {
    const document = readXml(bytes)
    if (document.name !== 'CreateBucketConfiguration') throw new S3Error('MalformedXML')
    const location = childText(document, 'LocationConstraint')?.trim() ?? ''
    if (location !== '' && location !== region) throw new S3Error('IllegalLocationConstraintException')
  }
  try {
    await buckets.create(bucket)
  } catch (error) {
    // In us-east-1 S3 answers its owner as if it were made now, and clients rely on it.
    if (!means(error, 'BucketAlreadyOwnedByYou') || region !== 'us-east-1') throw error
  }
  return { status: 200, headers: { location: `/${bucket}` } }
}

export async function deleteBucket({ buckets, bucket }: BucketExchange): Promise<Answer> {
  await buckets.delete(bucket)
  return { status: 204 }
}

export function headBucket({ buckets, bucket, region }: BucketExchange): Answer {
  buckets.bucket(bucket)
  return { status: 200, headers: { 'x-amz-bucket-region': region, 'x-amz-access-point-alias': 'false' } }
}
