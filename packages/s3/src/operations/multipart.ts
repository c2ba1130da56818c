import type { ChecksumName, ObjectContent, Part, Upload } from '@weft/storage'
import { checksumNameOf, isCrc } from '../checksum/checksum.ts'
import { type Answer, type BucketExchange, type ObjectExchange, letGo, numberOf, xmlAnswer } from '../exchange.ts'
import { checkLength } from '../http/headers.ts'
import { checksumHeaders, readObjectMeta } from '../http/object-headers.ts'
import { readCopyRange } from '../http/range.ts'
import { MAX_LISTED, MAX_PARTS, MAX_PUT_BYTES } from '../limits.ts'
import { S3Error } from '../s3-error.ts'
import { type XmlNode, writeXml } from '../xml/write-xml.ts'
import { findCopySource } from './copy-object.ts'
import { checksumNodes, encoderOf, ownerNode, prefixNodes } from './nodes.ts'

export async function createUpload(exchange: ObjectExchange): Promise<Answer> {
  const { buckets, bucket, key, headers } = exchange
  const checksum = readChecksumChoice(exchange)
  const upload = await buckets.startUpload(bucket, key, { checksum, meta: readObjectMeta(headers) })
  return xmlAnswer(
    writeXml('InitiateMultipartUploadResult', [
      ['Bucket', bucket],
      ['Key', key],
      ['UploadId', upload.id],
    ]),
    checksum === undefined ? {} : { 'x-amz-checksum-algorithm': checksum.name, 'x-amz-checksum-type': checksum.type },
  )
}

function readChecksumChoice({ headers }: ObjectExchange): Upload['checksum'] {
  const algorithm = headers.get('x-amz-checksum-algorithm')
  const type = headers.get('x-amz-checksum-type')
  if (algorithm === undefined) {
    if (type !== undefined)
      throw new S3Error(
        'InvalidRequest',
        'The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.',
      )
    return undefined
  }
  const name = checksumNameOf(algorithm)
  if (name === undefined)
    throw new S3Error(
      'InvalidRequest',
      'Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]',
    )
  const chosen = type ?? (name === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE')
  if (chosen !== 'COMPOSITE' && chosen !== 'FULL_OBJECT')
    throw new S3Error('InvalidRequest', 'Value for x-amz-checksum-type header is invalid.')
  if ((chosen === 'FULL_OBJECT' && !isCrc(name)) || (chosen === 'COMPOSITE' && name === 'CRC64NVME'))
    throw new S3Error(
      'InvalidRequest',
      `The ${chosen} checksum type cannot be used with the ${name.toLowerCase()} checksum algorithm.`,
    )
  return { name, type: chosen }
}

export function uploadId({ query }: Pick<ObjectExchange, 'query'>): string {
  const id = query.get('uploadId') ?? ''
  if (!/^[\w.~-]{1,256}$/.test(id)) throw new S3Error('NoSuchUpload')
  return id
}

function partNumber({ query }: ObjectExchange): number {
  const text = query.get('partNumber') ?? ''
  const number = Number(text)
  if (!/^\d{1,6}$/.test(text) || number < 1 || number > MAX_PARTS)
    throw new S3Error('InvalidArgument', 'Part number must be an integer between 1 and 10000, inclusive', {
      fields: { ArgumentName: 'partNumber', ArgumentValue: text.slice(0, 16) },
    })
  return number
}

export async function uploadPart(exchange: ObjectExchange): Promise<Answer> {
  const { buckets, bucket, key, headers, body, place, signal } = exchange
  const number = partNumber(exchange)
  checkLength(headers)
  const upload = buckets.upload(bucket, key, uploadId(exchange))
  const wanted = upload.checksum?.name
  if (wanted !== undefined) {
    if (body.checksumName !== undefined && body.checksumName !== wanted) throw wrongType(wanted, body.checksumName)
    body.wantChecksum(wanted)
  }
  const options = {
    size: body.size,
    ...(body.md5 === undefined ? {} : { md5: body.md5 }),
    checksums: () => body.checksums(),
    ...(body.checksumName === undefined ? {} : { algorithms: [body.checksumName] }),
    signal,
  }
  const part = await place.storing(() => buckets.putPart(bucket, key, upload.id, number, body.read(), options), signal)
  const { 'x-amz-checksum-type': _, ...checksums } = checksumHeaders(body.checksums())
  return { status: 200, headers: { etag: `"${part.etag}"`, ...checksums } }
}

function wrongType(wanted: ChecksumName, given: ChecksumName): S3Error {
  return new S3Error(
    'InvalidRequest',
    `Checksum Type mismatch occurred, expected checksum Type: ${wanted.toLowerCase()}, actual checksum Type: ${given.toLowerCase()}`,
  )
}

export async function uploadPartCopy(exchange: ObjectExchange): Promise<Answer> {
  const { buckets, bucket, key, headers, signal } = exchange
  const number = partNumber(exchange)
  const upload = buckets.upload(bucket, key, uploadId(exchange))
  const { from, entry } = findCopySource(exchange)
  const asked = headers.get('x-amz-copy-source-range')
  const range = asked === undefined ? undefined : readCopyRange(asked, entry.size)
  const size = range?.length ?? entry.size
  if (size > MAX_PUT_BYTES) throw new S3Error('EntityTooLarge')
  const content = await buckets.get(from.bucket, from.key, {
    signal,
    ...(from.version === undefined ? {} : { version: from.version }),
    ...(range === undefined ? {} : { range }),
  })
  const part = await putCopied(exchange, upload, number, content, { etag: entry.etag, size })
  const kept = buckets.bucket(from.bucket).versioning !== 'off'
  return xmlAnswer(
    writeXml('CopyPartResult', [
      ['LastModified', new Date(part.modifiedAt).toISOString()],
      ['ETag', `"${part.etag}"`],
      ...checksumNodes(part.checksums, false),
    ]),
    kept ? { 'x-amz-copy-source-version-id': entry.version } : {},
  )
}

async function putCopied(
  { buckets, bucket, key, place, signal }: ObjectExchange,
  { id }: Upload,
  number: number,
  { entry, body }: ObjectContent,
  { etag, size }: { readonly etag: string; readonly size: number },
): Promise<Part> {
  try {
    if (entry.etag !== etag) throw new S3Error('PreconditionFailed')
    return await place.storing(() => buckets.putPart(bucket, key, id, number, body, { size, signal }), signal)
  } finally {
    await letGo(body)
  }
}

export async function abortUpload(exchange: ObjectExchange): Promise<Answer> {
  await exchange.buckets.abortUpload(exchange.bucket, exchange.key, uploadId(exchange))
  return { status: 204 }
}

export function listParts(exchange: ObjectExchange): Answer {
  const { buckets, bucket, key, query, owner } = exchange
  const upload = buckets.upload(bucket, key, uploadId(exchange))
  const { encode, name } = encoderOf(query)
  const marker = numberOf(query, 'part-number-marker', 0, MAX_PARTS)
  const limit = numberOf(query, 'max-parts', MAX_LISTED, MAX_LISTED)
  const behind = buckets.parts(bucket, key, upload.id).filter(({ number }) => number > marker)
  const shown = behind.slice(0, limit)
  const more = shown.length < behind.length
  return xmlAnswer(
    writeXml('ListPartsResult', [
      ['Bucket', bucket],
      ['EncodingType', name],
      ['Key', encode(key)],
      ['UploadId', upload.id],
      ['PartNumberMarker', marker],
      ['NextPartNumberMarker', more ? (shown.at(-1)?.number ?? marker) : undefined],
      ['MaxParts', limit],
      ['IsTruncated', more],
      ...shown.map((part): XmlNode => ['Part', partNodes(part)]),
      ownerNode(owner, 'Initiator'),
      ownerNode(owner),
      ['StorageClass', 'STANDARD'],
      ['ChecksumAlgorithm', upload.checksum?.name],
      ['ChecksumType', upload.checksum?.type],
    ]),
  )
}

function partNodes(part: Part): XmlNode[] {
  return [
    ['PartNumber', part.number],
    ['LastModified', new Date(part.modifiedAt).toISOString()],
    ['ETag', `"${part.etag}"`],
    ['Size', part.size],
    ...checksumNodes(part.checksums, false),
  ]
}

export function listUploads(exchange: BucketExchange): Answer {
  const { buckets, bucket, query, owner } = exchange
  buckets.bucket(bucket)
  const { encode, name } = encoderOf(query)
  const limit = numberOf(query, 'max-uploads', MAX_LISTED, MAX_LISTED)
  const [prefix, delimiter] = [query.get('prefix') ?? '', query.get('delimiter') ?? '']
  const [after, afterUpload] = [query.get('key-marker') ?? '', query.get('upload-id-marker') ?? '']
  const found =
    limit === 0
      ? { uploads: [], prefixes: [], next: undefined }
      : buckets.uploads(bucket, {
          limit,
          ...(prefix === '' ? {} : { prefix }),
          ...(delimiter === '' ? {} : { delimiter }),
          ...(after === '' ? {} : { after }),
          ...(after === '' || afterUpload === '' ? {} : { afterUpload }),
        })
  return xmlAnswer(
    writeXml('ListMultipartUploadsResult', [
      ['Bucket', bucket],
      ['KeyMarker', encode(after)],
      ['UploadIdMarker', afterUpload],
      ['NextKeyMarker', found.next === undefined ? undefined : encode(found.next.key)],
      ['NextUploadIdMarker', found.next?.upload],
      ['Prefix', encode(prefix)],
      ['Delimiter', delimiter === '' ? undefined : encode(delimiter)],
      ['EncodingType', name],
      ['MaxUploads', limit],
      ['IsTruncated', found.next !== undefined],
      ...found.uploads.map((upload): XmlNode => [
        'Upload',
        [
          ['Key', encode(upload.key)],
          ['UploadId', upload.id],
          ownerNode(owner, 'Initiator'),
          ownerNode(owner),
          ['StorageClass', 'STANDARD'],
          ['Initiated', new Date(upload.startedAt).toISOString()],
          ['ChecksumAlgorithm', upload.checksum?.name],
          ['ChecksumType', upload.checksum?.type],
        ],
      ]),
      ...prefixNodes(found.prefixes, encode),
    ]),
  )
}
