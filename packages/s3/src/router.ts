import { type Answer, type BucketExchange, type Exchange, type ObjectExchange, allow, checkOwner } from './exchange.ts'
import {
  deleteBucketTagging,
  deleteFixedSetting,
  getBucketAcl,
  getBucketTagging,
  getFixedSetting,
  getLocation,
  getVersioning,
  putBucketAcl,
  putBucketTagging,
  putVersioning,
} from './operations/bucket-settings.ts'
import { createBucket, deleteBucket, headBucket, listBuckets } from './operations/buckets.ts'
import { completeUpload } from './operations/complete-upload.ts'
import { copyObject } from './operations/copy-object.ts'
import { deleteObject, deleteObjects } from './operations/delete-objects.ts'
import { getObject, headObject } from './operations/get-object.ts'
import { listObjectVersions, listObjectsV1, listObjectsV2 } from './operations/list-objects.ts'
import {
  abortUpload,
  createUpload,
  listParts,
  listUploads,
  uploadPart,
  uploadPartCopy,
} from './operations/multipart.ts'
import {
  deleteObjectTagging,
  getObjectAcl,
  getObjectAttributes,
  getObjectTagging,
  putObjectAcl,
  putObjectTagging,
} from './operations/object-settings.ts'
import { putObject } from './operations/put-object.ts'
import { S3Error } from './s3-error.ts'

/** Every name in a query that S3 has an operation for: a request with one that is not there below is refused, never taken for another. */
const SUBRESOURCES = [
  'abac',
  'accelerate',
  'acl',
  'analytics',
  'attributes',
  'cors',
  'delete',
  'encryption',
  'intelligent-tiering',
  'inventory',
  'legal-hold',
  'lifecycle',
  'location',
  'logging',
  'metadataConfiguration',
  'metadataInventoryTable',
  'metadataJournalTable',
  'metadataTable',
  'metrics',
  'notification',
  'object-lock',
  'ownershipControls',
  'policy',
  'policyStatus',
  'publicAccessBlock',
  'renameObject',
  'replication',
  'requestPayment',
  'restore',
  'retention',
  'select',
  'session',
  'tagging',
  'torrent',
  'uploadId',
  'uploads',
  'versioning',
  'versions',
  'website',
] as const

type Operation<E> = (exchange: E) => Answer | Promise<Answer>
type Table<E> = Readonly<Record<string, { readonly access: 'read' | 'write'; readonly run: Operation<E> }>>

const reads = <E>(run: Operation<E>) => ({ access: 'read', run }) as const
const writes = <E>(run: Operation<E>) => ({ access: 'write', run }) as const

const OF_BUCKET: Table<BucketExchange> = {
  'GET ': reads((exchange) =>
    exchange.query.get('list-type') === '2' ? listObjectsV2(exchange) : listObjectsV1(exchange),
  ),
  'GET acl': reads(getBucketAcl),
  'GET location': reads(getLocation),
  'GET tagging': reads(getBucketTagging),
  'GET uploads': reads(listUploads),
  'GET versioning': reads(getVersioning),
  'GET versions': reads(listObjectVersions),
  'HEAD ': reads(headBucket),
  'PUT ': writes(createBucket),
  'PUT acl': writes(putBucketAcl),
  'PUT tagging': writes(putBucketTagging),
  'PUT versioning': writes(putVersioning),
  'POST delete': writes(deleteObjects),
  'DELETE ': writes(deleteBucket),
  'DELETE tagging': writes(deleteBucketTagging),
}

const OF_OBJECT: Table<ObjectExchange> = {
  'GET ': reads(getObject),
  'GET acl': reads(getObjectAcl),
  'GET attributes': reads(getObjectAttributes),
  'GET tagging': reads(getObjectTagging),
  'GET uploadId': reads(listParts),
  'HEAD ': reads(headObject),
  'PUT ': writes((exchange) =>
    exchange.headers.has('x-amz-copy-source') ? copyObject(exchange) : putObject(exchange),
  ),
  'PUT acl': writes(putObjectAcl),
  'PUT tagging': writes(putObjectTagging),
  'PUT uploadId': writes((exchange) =>
    exchange.headers.has('x-amz-copy-source') ? uploadPartCopy(exchange) : uploadPart(exchange),
  ),
  'POST uploadId': writes(completeUpload),
  'POST uploads': writes(createUpload),
  'DELETE ': writes(deleteObject),
  'DELETE tagging': writes(deleteObjectTagging),
  'DELETE uploadId': writes(abortUpload),
}

const METHODS = new Set(['GET', 'HEAD', 'PUT', 'POST', 'DELETE'])

/** Finds the operation and asks whether the key may. @throws S3Error MethodNotAllowed, NotImplemented, AccessDenied, … */
export async function route(exchange: Exchange, bucket: string | undefined, key: string | undefined): Promise<Answer> {
  const { method, query } = exchange
  if (method === 'OPTIONS') throw new S3Error('AccessForbidden')
  if (!METHODS.has(method)) throw new S3Error('MethodNotAllowed')
  const names = SUBRESOURCES.filter((name) => query.has(name))
  if (names.length > 1) throw new S3Error('InvalidRequest', `Conflicting query parameters: ${names.join(', ')}.`)
  const [name = ''] = names
  if (bucket === undefined) {
    if (method !== 'GET' || name !== '') throw new S3Error('MethodNotAllowed')
    return listBuckets(exchange)
  }
  checkOwner(exchange, 'x-amz-expected-bucket-owner')
  if (key !== undefined) {
    const operation = OF_OBJECT[`${method} ${name}`]
    if (operation === undefined) throw notThere(name)
    allow(exchange, bucket, operation.access)
    return operation.run({ ...exchange, bucket, key })
  }
  const operation = OF_BUCKET[`${method} ${name}`]
  allow(exchange, bucket, operation?.access ?? (method === 'GET' || method === 'HEAD' ? 'read' : 'write'))
  const inBucket = { ...exchange, bucket }
  if (operation !== undefined) return operation.run(inBucket)
  if (name !== '' && method === 'GET') return getFixedSetting(inBucket, name)
  if (name !== '' && method === 'DELETE') return deleteFixedSetting(inBucket, name)
  throw notThere(name)
}

function notThere(name: string): S3Error {
  return name === '' ? new S3Error('MethodNotAllowed') : new S3Error('NotImplemented')
}
