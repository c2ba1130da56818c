import type { Checksums, ObjectVersion } from '@weft/storage'
import type { Owner } from '../exchange.ts'
import { checksumType, classOf } from '../http/object-headers.ts'
import { percentEncode } from '../http/percent.ts'
import type { Query } from '../http/query.ts'
import { S3Error } from '../s3-error.ts'
import type { XmlNode } from '../xml/write-xml.ts'

/** How keys stand in a list: as they are, or percent-encoded where XML could not carry them. @throws S3Error InvalidArgument */
export function encoderOf(query: Query): {
  readonly name: string | undefined
  readonly encode: (text: string) => string
} {
  const name = query.get('encoding-type')
  if (name === undefined || name === '') return { name: undefined, encode: (text) => text }
  if (name !== 'url') throw new S3Error('InvalidArgument', 'Invalid Encoding Method specified in Request')
  return { name, encode: (text) => percentEncode(text, '/') }
}

export function ownerNode(owner: Owner, name = 'Owner'): XmlNode {
  return [
    name,
    [
      ['ID', owner.id],
      ['DisplayName', owner.name],
    ],
  ]
}

export function checksumNodes(checksums: Checksums, withType = true): XmlNode[] {
  const nodes: XmlNode[] = Object.entries(checksums).map(([name, value]) => [`Checksum${name}`, value])
  return nodes.length === 0 || !withType ? nodes : [...nodes, ['ChecksumType', checksumType(checksums)]]
}

/** An object of a list, without its key. */
export function contentNodes(entry: ObjectVersion): XmlNode[] {
  const names = Object.keys(entry.checksums)
  return [
    ['LastModified', new Date(entry.modifiedAt).toISOString()],
    ['ETag', `"${entry.etag}"`],
    ...names.map((name): XmlNode => ['ChecksumAlgorithm', name]),
    ...(names.length === 0 ? [] : [['ChecksumType', checksumType(entry.checksums)] as const]),
    ['Size', entry.size],
    ['StorageClass', classOf(entry)],
  ]
}

export function prefixNodes(prefixes: readonly string[], encode: (text: string) => string): XmlNode[] {
  return prefixes.map((prefix): XmlNode => ['CommonPrefixes', [['Prefix', encode(prefix)]]])
}
