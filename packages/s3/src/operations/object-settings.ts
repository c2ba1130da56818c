import type { ObjectVersion } from '@weft/storage'
import { type Answer, type ObjectExchange, keepsVersions, numberOf, versionAsked, xmlAnswer } from '../exchange.ts'
import { classOf, versionHeader } from '../http/object-headers.ts'
import { readTagging, tagSet } from '../http/tags.ts'
import { MAX_LISTED, MAX_OBJECT_TAGS, MAX_PARTS, MAX_XML_BYTES } from '../limits.ts'
import { S3Error } from '../s3-error.ts'
import { type XmlNode, writeXml } from '../xml/write-xml.ts'
import { aclAnswer, putAcl } from './bucket-settings.ts'
import { checksumNodes } from './nodes.ts'

function lookUp(exchange: ObjectExchange): ObjectVersion {
  const entry = exchange.buckets.head(exchange.bucket, exchange.key, versionAsked(exchange))
  if (entry.isDeleteMarker)
    throw new S3Error('MethodNotAllowed', undefined, {
      headers: { allow: 'DELETE', 'x-amz-delete-marker': 'true', 'x-amz-version-id': entry.version },
    })
  return entry
}

export function getObjectTagging(exchange: ObjectExchange): Answer {
  const entry = lookUp(exchange)
  return xmlAnswer(writeXml('Tagging', [tagSet(entry.meta.tags)]), versionHeader(entry, keepsVersions(exchange)))
}

export async function putObjectTagging(exchange: ObjectExchange): Promise<Answer> {
  lookUp(exchange)
  return setTags(exchange, readTagging(await exchange.body.xml(MAX_XML_BYTES), MAX_OBJECT_TAGS), 200)
}

export function deleteObjectTagging(exchange: ObjectExchange): Promise<Answer> {
  lookUp(exchange)
  return setTags(exchange, new Map(), 204)
}

async function setTags(exchange: ObjectExchange, tags: ReadonlyMap<string, string>, status: number): Promise<Answer> {
  const entry = await exchange.buckets.setTags(exchange.bucket, exchange.key, tags, versionAsked(exchange))
  return { status, headers: versionHeader(entry, keepsVersions(exchange)) }
}

export function getObjectAcl(exchange: ObjectExchange): Answer {
  lookUp(exchange)
  return aclAnswer(exchange.owner)
}

export async function putObjectAcl(exchange: ObjectExchange): Promise<Answer> {
  lookUp(exchange)
  await putAcl(exchange)
  return { status: 200 }
}

const ATTRIBUTES = ['ETag', 'Checksum', 'ObjectParts', 'StorageClass', 'ObjectSize']

export function getObjectAttributes(exchange: ObjectExchange): Answer {
  const { headers } = exchange
  const wanted = new Set((headers.get('x-amz-object-attributes') ?? '').split(',').map((each) => each.trim()))
  if ([...wanted].some((each) => !ATTRIBUTES.includes(each)))
    throw new S3Error('InvalidArgument', 'Invalid attribute name specified.')
  const entry = lookUp(exchange)
  const has = (name: string, content: XmlNode[1]): XmlNode[] => (wanted.has(name) ? [[name, content]] : [])
  const checksums = checksumNodes(entry.checksums)
  return xmlAnswer(
    writeXml('GetObjectAttributesResponse', [
      ...has('ETag', entry.etag),
      ...(checksums.length === 0 ? [] : has('Checksum', checksums)),
      ...(entry.parts.length === 0 ? [] : has('ObjectParts', partsOf(exchange, entry))),
      ...has('StorageClass', classOf(entry)),
      ...has('ObjectSize', entry.size),
    ]),
    {
      'last-modified': new Date(entry.modifiedAt).toUTCString(),
      ...versionHeader(entry, keepsVersions(exchange)),
    },
  )
}

function partsOf({ headers }: ObjectExchange, entry: ObjectVersion): XmlNode[] {
  const marker = numberOf(headers, 'x-amz-part-number-marker', 0, MAX_PARTS)
  const limit = numberOf(headers, 'x-amz-max-parts', MAX_LISTED, MAX_LISTED)
  const behind = entry.parts.map((part, at) => ({ ...part, number: at + 1 })).slice(marker)
  const shown = behind.slice(0, limit)
  return [
    ['PartsCount', entry.parts.length],
    ['PartNumberMarker', marker],
    ['NextPartNumberMarker', shown.at(-1)?.number ?? marker],
    ['MaxParts', limit],
    ['IsTruncated', shown.length < behind.length],
    ...shown.map(({ size, number, checksums }): XmlNode => [
      'Part',
      [['PartNumber', number], ['Size', size], ...checksumNodes(checksums, false)],
    ]),
  ]
}
