import { S3Error } from '../s3-error.ts'
import { type XmlElement, child, childText } from '../xml/read-xml.ts'
import { type XmlNode } from '../xml/write-xml.ts'
import { Query } from './query.ts'

export type Tags = ReadonlyMap<string, string>

/** Letters, digits and spaces of any script, and + - = . _ : / @ */
const TAG = /^[\p{L}\p{Z}\p{N}+\-=._:/@]*$/u

/** `x-amz-tagging`, written as a query. @throws S3Error InvalidArgument, InvalidTag, BadRequest */
export function readTagHeader(header: string, most: number): Tags {
  const { entries } = Query.parse(header)
  return checked(entries, most)
}

/** The document Tagging. @throws S3Error MalformedXML, InvalidTag, BadRequest */
export function readTagging(document: XmlElement, most: number): Tags {
  const set = child(document, 'TagSet')
  if (document.name !== 'Tagging' || set === undefined) throw new S3Error('MalformedXML')
  const entries = set.children.map((tag) => {
    const key = childText(tag, 'Key')
    const value = childText(tag, 'Value')
    if (tag.name !== 'Tag' || key === undefined || value === undefined) throw new S3Error('MalformedXML')
    return [key, value] as const
  })
  return checked(entries, most)
}

export function tagSet(tags: Tags): XmlNode {
  return [
    'TagSet',
    [...tags].map(
      ([key, value]) =>
        [
          'Tag',
          [
            ['Key', key],
            ['Value', value],
          ],
        ] as const,
    ),
  ]
}

/** As S3 counts them: code points. */
function lettersOf(text: string): number {
  return Array.from(text).length
}

function checked(entries: readonly (readonly [string, string])[], most: number): Tags {
  if (entries.length > most) throw new S3Error('BadRequest', `There may be at most ${most} tags.`)
  for (const [key, value] of entries) {
    if (key === '' || lettersOf(key) > 128 || !TAG.test(key) || key.startsWith('aws:'))
      throw new S3Error('InvalidTag', 'The TagKey you have provided is invalid.')
    if (lettersOf(value) > 256 || !TAG.test(value))
      throw new S3Error('InvalidTag', 'The TagValue you have provided is invalid.')
  }
  const tags = new Map(entries)
  if (tags.size !== entries.length) throw new S3Error('InvalidTag', 'Cannot provide multiple Tags with the same key.')
  return tags
}
