import type { Versioning } from '@weft/storage'
import { type Answer, type BucketExchange, type Exchange, xmlAnswer } from '../exchange.ts'
import { checkAcl } from '../http/object-headers.ts'
import { readTagging, tagSet } from '../http/tags.ts'
import { MAX_BUCKET_TAGS, MAX_XML_BYTES } from '../limits.ts'
import { S3Error, type S3Code } from '../s3-error.ts'
import { child, childText, readXml } from '../xml/read-xml.ts'
import { type XmlNode, writeXml } from '../xml/write-xml.ts'
import { ownerNode } from './nodes.ts'

const NEVER_SET: Readonly<Record<string, S3Code>> = {
  cors: 'NoSuchCORSConfiguration',
  encryption: 'ServerSideEncryptionConfigurationNotFoundError',
  lifecycle: 'NoSuchLifecycleConfiguration',
  'object-lock': 'ObjectLockConfigurationNotFoundError',
  policy: 'NoSuchBucketPolicy',
  policyStatus: 'NoSuchBucketPolicy',
  replication: 'ReplicationConfigurationNotFoundError',
  website: 'NoSuchWebsiteConfiguration',
}

/** What these always are in a store of one owner. */
const FIXED: Readonly<Record<string, readonly [name: string, content: readonly XmlNode[]]>> = {
  accelerate: ['AccelerateConfiguration', []],
  logging: ['BucketLoggingStatus', []],
  notification: ['NotificationConfiguration', []],
  ownershipControls: ['OwnershipControls', [['Rule', [['ObjectOwnership', 'BucketOwnerEnforced']]]]],
  publicAccessBlock: [
    'PublicAccessBlockConfiguration',
    ['BlockPublicAcls', 'IgnorePublicAcls', 'BlockPublicPolicy', 'RestrictPublicBuckets'].map((name) => [name, true]),
  ],
  requestPayment: ['RequestPaymentConfiguration', [['Payer', 'BucketOwner']]],
}

export function getFixedSetting({ buckets, bucket }: BucketExchange, setting: string): Answer {
  buckets.bucket(bucket)
  const missing = NEVER_SET[setting]
  if (missing !== undefined) throw new S3Error(missing)
  const fixed = FIXED[setting]
  if (fixed === undefined) throw new S3Error('NotImplemented')
  return xmlAnswer(writeXml(...fixed))
}

/** What was never set is gone. */
export function deleteFixedSetting({ buckets, bucket }: BucketExchange, setting: string): Answer {
  buckets.bucket(bucket)
  if (NEVER_SET[setting] === undefined || setting === 'object-lock' || setting === 'policyStatus')
    throw new S3Error('NotImplemented')
  return { status: 204 }
}

export function getLocation({ buckets, bucket, region }: BucketExchange): Answer {
  buckets.bucket(bucket)
  const xml = writeXml('LocationConstraint', [])
  return xmlAnswer(region === 'us-east-1' ? xml : xml.replace('></Loc', `>${region}</Loc`))
}

export function getVersioning({ buckets, bucket }: BucketExchange): Answer {
  const { versioning } = buckets.bucket(bucket)
  const status = { off: undefined, enabled: 'Enabled', suspended: 'Suspended' }[versioning]
  return xmlAnswer(writeXml('VersioningConfiguration', [['Status', status]]))
}

export async function putVersioning({ buckets, bucket, body }: BucketExchange): Promise<Answer> {
  buckets.bucket(bucket)
  const document = await body.xml(MAX_XML_BYTES)
  const status = childText(document, 'Status')?.trim()
  if (document.name !== 'VersioningConfiguration' || (status !== 'Enabled' && status !== 'Suspended'))
    throw new S3Error('MalformedXML')
  if (childText(document, 'MfaDelete')?.trim() === 'Enabled')
    throw new S3Error('NotImplemented', 'MFA Delete is not supported.')
  const versioning: Versioning = status === 'Enabled' ? 'enabled' : 'suspended'
  await buckets.change(bucket, { versioning })
  return { status: 200 }
}

export function getBucketTagging({ buckets, bucket }: BucketExchange): Answer {
  const { tags } = buckets.bucket(bucket)
  if (tags.size === 0) throw new S3Error('NoSuchTagSet')
  return xmlAnswer(writeXml('Tagging', [tagSet(tags)]))
}

export async function putBucketTagging({ buckets, bucket, body }: BucketExchange): Promise<Answer> {
  buckets.bucket(bucket)
  await buckets.change(bucket, { tags: readTagging(await body.xml(MAX_XML_BYTES), MAX_BUCKET_TAGS) })
  return { status: 204 }
}

export async function deleteBucketTagging({ buckets, bucket }: BucketExchange): Promise<Answer> {
  await buckets.change(bucket, { tags: new Map() })
  return { status: 204 }
}

export function aclAnswer(owner: Exchange['owner']): Answer {
  const grantee = 'Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"'
  const [, who] = ownerNode(owner)
  return xmlAnswer(
    writeXml('AccessControlPolicy', [
      ownerNode(owner),
      [
        'AccessControlList',
        [
          [
            'Grant',
            [
              [grantee, who],
              ['Permission', 'FULL_CONTROL'],
            ],
          ],
        ],
      ],
    ]),
  )
}

export function getBucketAcl({ buckets, bucket, owner }: BucketExchange): Answer {
  buckets.bucket(bucket)
  return aclAnswer(owner)
}

/** What it is anyway may be set, by its canned name or as the document that getting it answers; nothing else may. */
export async function putAcl({ headers, body, owner }: Exchange): Promise<void> {
  checkAcl(headers)
  const bytes = await body.all(MAX_XML_BYTES)
  if (headers.has('x-amz-acl')) return
  const document = readXml(bytes)
  const grants = child(document, 'AccessControlList')?.children ?? []
  if (document.name !== 'AccessControlPolicy') throw new S3Error('MalformedXML')
  for (const grant of grants) {
    const grantee = child(grant, 'Grantee')
    const id = grantee === undefined ? undefined : childText(grantee, 'ID')
    if (id !== owner.id || childText(grant, 'Permission') !== 'FULL_CONTROL')
      throw new S3Error('AccessControlListNotSupported')
  }
}

export async function putBucketAcl(exchange: BucketExchange): Promise<Answer> {
  exchange.buckets.bucket(exchange.bucket)
  await putAcl(exchange)
  return { status: 200 }
}
