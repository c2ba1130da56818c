import type { Deletion, Preconditions } from '@weft/storage'
import {
  type Answer,
  type BucketExchange,
  type ObjectExchange,
  keepsVersions,
  latest,
  versionAsked,
  xmlAnswer,
} from '../exchange.ts'
import { type Expected, checkDeletion, readExpected } from '../http/conditions.ts'
import { checkKey } from '../http/target.ts'
import { MAX_DELETES, MAX_LONG_XML_BYTES } from '../limits.ts'
import { S3Error } from '../s3-error.ts'
import { toS3Error } from '../translate-fault.ts'
import { type XmlElement, childText } from '../xml/read-xml.ts'
import { type XmlNode, writeXml } from '../xml/write-xml.ts'

export async function deleteObject(exchange: ObjectExchange): Promise<Answer> {
  const { buckets, bucket, key, headers } = exchange
  const kept = keepsVersions(exchange)
  const [etag, modified] = [headers.get('if-match'), headers.get('x-amz-if-match-last-modified-time')]
  const preconditions = checkFound(exchange, readExpected(etag, modified, headers.get('x-amz-if-match-size')))
  const deletion = await buckets.remove(bucket, key, versionAsked(exchange), preconditions)
  return { status: 204, headers: deletionHeaders(deletion, kept) }
}

/** Of what is there now, whichever version is deleted, as S3 has it. @throws S3Error PreconditionFailed, NoSuchKey */
function checkFound(exchange: ObjectExchange, expected: Expected | undefined): Preconditions {
  return expected === undefined ? {} : checkDeletion(latest(exchange), expected)
}

function deletionHeaders({ version, isDeleteMarker }: Deletion, kept: boolean): Record<string, string> {
  return {
    ...(kept && version !== undefined ? { 'x-amz-version-id': version } : {}),
    ...(isDeleteMarker ? { 'x-amz-delete-marker': 'true' } : {}),
  }
}

interface Asked {
  readonly key: string
  readonly version: string | undefined
  readonly expected: Expected | undefined
}

/** Each key by itself: what fails is named, and does not stop the others. */
export async function deleteObjects(exchange: BucketExchange): Promise<Answer> {
  const { buckets, bucket, body, signal } = exchange
  if (!body.hasDigest)
    throw new S3Error('InvalidRequest', 'Missing required header for this request: Content-MD5 OR x-amz-checksum-*')
  buckets.bucket(bucket)
  const document = await body.xml(MAX_LONG_XML_BYTES)
  const asked = readDelete(document)
  const quiet = childText(document, 'Quiet')?.trim() === 'true'
  const nodes: XmlNode[] = []
  for (const each of asked) {
    if (signal.aborted) break
    const node = await deleteOne(exchange, each)
    if (!quiet || node[0] === 'Error') nodes.push(node)
  }
  return xmlAnswer(writeXml('DeleteResult', nodes))
}

async function deleteOne(exchange: BucketExchange, { key, version, expected }: Asked): Promise<XmlNode> {
  const named: readonly XmlNode[] = [
    ['Key', key],
    ['VersionId', version],
  ]
  try {
    checkKey(key)
    const preconditions = checkFound({ ...exchange, key }, expected)
    const deletion = await exchange.buckets.remove(exchange.bucket, key, version, preconditions)
    const marker: readonly XmlNode[] = deletion.isDeleteMarker
      ? [
          ['DeleteMarker', true],
          ['DeleteMarkerVersionId', deletion.version],
        ]
      : []
    return ['Deleted', [...named, ...marker]]
  } catch (error) {
    const { code, message } = toS3Error(error)
    return ['Error', [...named, ['Code', code], ['Message', message]]]
  }
}

function readDelete(document: XmlElement): readonly Asked[] {
  if (document.name !== 'Delete') throw new S3Error('MalformedXML')
  const asked = document.children
    .filter(({ name }) => name === 'Object')
    .map((object) => {
      const key = childText(object, 'Key')
      if (key === undefined || key === '') throw new S3Error('MalformedXML')
      const text = (name: string): string | undefined => childText(object, name)?.trim() || undefined
      const expected = readExpected(text('ETag'), text('LastModifiedTime'), text('Size'))
      return { key, version: childText(object, 'VersionId') || undefined, expected }
    })
  if (asked.length === 0 || asked.length > MAX_DELETES) throw new S3Error('MalformedXML')
  return asked
}
