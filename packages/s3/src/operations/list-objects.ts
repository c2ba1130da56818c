import type { ListOptions, Listing, VersionListing } from '@weft/storage'
import { type Answer, type BucketExchange, numberOf, xmlAnswer } from '../exchange.ts'
import { decodeUtf8 } from '../http/percent.ts'
import { MAX_LISTED } from '../limits.ts'
import { S3Error } from '../s3-error.ts'
import { type XmlNode, writeXml } from '../xml/write-xml.ts'
import { contentNodes, encoderOf, ownerNode, prefixNodes } from './nodes.ts'

const NOTHING: Listing = { entries: [], prefixes: [], next: undefined }

interface Asked {
  readonly limit: number
  readonly prefix: string
  readonly delimiter: string | undefined
  readonly encode: (text: string) => string
  /** What every list begins with. */
  readonly nodes: readonly XmlNode[]
}

function asked({ query, bucket, buckets }: BucketExchange): Asked {
  buckets.bucket(bucket)
  const { name, encode } = encoderOf(query)
  const prefix = query.get('prefix') ?? ''
  const delimiter = query.get('delimiter') || undefined
  const limit = numberOf(query, 'max-keys', MAX_LISTED, MAX_LISTED)
  const nodes: readonly XmlNode[] = [
    ['Name', bucket],
    ['Prefix', encode(prefix)],
    ['Delimiter', delimiter === undefined ? undefined : encode(delimiter)],
    ['MaxKeys', limit],
    ['EncodingType', name],
  ]
  return { limit, prefix, delimiter, encode, nodes }
}

function optionsOf({ prefix, delimiter, limit }: Asked, after: string | undefined): ListOptions {
  return {
    limit,
    ...(prefix === '' ? {} : { prefix }),
    ...(delimiter === undefined ? {} : { delimiter }),
    ...(after === undefined || after === '' ? {} : { after }),
  }
}

export function listObjectsV2(exchange: BucketExchange): Answer {
  const { buckets, bucket, query, owner } = exchange
  const ask = asked(exchange)
  const token = query.get('continuation-token')
  const startAfter = query.get('start-after')
  // An empty token is none, and is said again.
  const after = token === undefined || token === '' ? startAfter : keyOfToken(token)
  const listing = ask.limit === 0 ? NOTHING : buckets.list(bucket, optionsOf(ask, after))
  const withOwner = query.get('fetch-owner') === 'true'
  return xmlAnswer(
    writeXml('ListBucketResult', [
      ...ask.nodes,
      ['StartAfter', startAfter === undefined ? undefined : ask.encode(startAfter)],
      ['ContinuationToken', token],
      ['NextContinuationToken', listing.next === undefined ? undefined : tokenOf(listing.next)],
      ['KeyCount', listing.entries.length + listing.prefixes.length],
      ['IsTruncated', listing.next !== undefined],
      ...contents(listing, ask, withOwner ? ownerNode(owner) : undefined),
    ]),
  )
}

export function listObjectsV1(exchange: BucketExchange): Answer {
  const { buckets, bucket, query, owner } = exchange
  const ask = asked(exchange)
  const marker = query.get('marker') ?? ''
  const listing = ask.limit === 0 ? NOTHING : buckets.list(bucket, optionsOf(ask, marker))
  return xmlAnswer(
    writeXml('ListBucketResult', [
      ...ask.nodes,
      ['Marker', ask.encode(marker)],
      // Without a delimiter the last key is the marker, and S3 says none.
      ['NextMarker', listing.next === undefined || ask.delimiter === undefined ? undefined : ask.encode(listing.next)],
      ['IsTruncated', listing.next !== undefined],
      ...contents(listing, ask, ownerNode(owner)),
    ]),
  )
}

function contents(listing: Listing, { encode }: Asked, owner: XmlNode | undefined): XmlNode[] {
  const entries = listing.entries.map((entry): XmlNode => {
    const nodes: readonly XmlNode[] = [['Key', encode(entry.key)], ...contentNodes(entry)]
    return ['Contents', owner === undefined ? nodes : [...nodes, owner]]
  })
  return [...entries, ...prefixNodes(listing.prefixes, encode)]
}

export function listObjectVersions(exchange: BucketExchange): Answer {
  const { buckets, bucket, query, owner } = exchange
  const ask = asked(exchange)
  const after = query.get('key-marker') ?? ''
  const afterVersion = query.get('version-id-marker') ?? ''
  if (afterVersion !== '' && after === '')
    throw new S3Error('InvalidArgument', 'A version-id marker cannot be specified without a key marker.')
  const listing: VersionListing =
    ask.limit === 0
      ? { ...NOTHING, nextVersion: undefined }
      : buckets.listVersions(bucket, {
          ...optionsOf(ask, after),
          ...(afterVersion === '' ? {} : { afterVersion }),
        })
  return xmlAnswer(
    writeXml('ListVersionsResult', [
      ...ask.nodes,
      ['KeyMarker', ask.encode(after)],
      ['VersionIdMarker', afterVersion],
      ['NextKeyMarker', listing.next === undefined ? undefined : ask.encode(listing.next)],
      ['NextVersionIdMarker', listing.nextVersion],
      ['IsTruncated', listing.next !== undefined],
      ...listing.entries.map((entry): XmlNode => {
        const head: readonly XmlNode[] = [
          ['Key', ask.encode(entry.key)],
          ['VersionId', entry.version],
          ['IsLatest', entry.isLatest],
        ]
        if (entry.isDeleteMarker)
          return [
            'DeleteMarker',
            [...head, ['LastModified', new Date(entry.modifiedAt).toISOString()], ownerNode(owner)],
          ]
        return ['Version', [...head, ...contentNodes(entry), ownerNode(owner)]]
      }),
      ...prefixNodes(listing.prefixes, ask.encode),
    ]),
  )
}

/** Opaque to clients: where the list goes on. */
function tokenOf(key: string): string {
  return Buffer.from(key, 'utf8').toString('base64url')
}

function keyOfToken(token: string): string {
  const bytes = Buffer.from(token, 'base64url')
  const key = bytes.toString('base64url') === token ? decodeUtf8(bytes) : undefined
  if (key === undefined || key === '')
    throw new S3Error('InvalidArgument', 'The continuation token provided is incorrect')
  return key
}
