import type { ChecksumName, Checksums, Part, Upload } from '@weft/storage'
import { CHECKSUM_NAMES } from '../checksum/checksum.ts'
import { compositeOf, fullOf } from '../checksum/of-parts.ts'
import { type Answer, type ObjectExchange, keepsVersions, latest, xmlAnswer } from '../exchange.ts'
import { checkWrite, readConditions, unquoted } from '../http/conditions.ts'
import { versionHeader } from '../http/object-headers.ts'
import { percentEncode } from '../http/percent.ts'
import { MAX_LONG_XML_BYTES, MAX_PARTS } from '../limits.ts'
import { S3Error } from '../s3-error.ts'
import { means } from '../translate-fault.ts'
import { type XmlElement, childText } from '../xml/read-xml.ts'
import { writeXml } from '../xml/write-xml.ts'
import { uploadId } from './multipart.ts'
import { checksumNodes } from './nodes.ts'

interface Named {
  readonly number: number
  readonly etag: string
  readonly checksums: Checksums
}

export async function completeUpload(exchange: ObjectExchange): Promise<Answer> {
  const { buckets, bucket, key, body, headers } = exchange
  const kept = keepsVersions(exchange)
  const id = uploadId(exchange)
  if (body.size === 0) throw new S3Error('MalformedXML')
  const named = readParts(await body.xml(MAX_LONG_XML_BYTES))
  const open = findOpen(exchange, id)
  const preconditions = open === undefined ? {} : checkWrite(latest(exchange), readConditions(headers))
  const checksums = open === undefined ? {} : checksumsOf(exchange, open, named)
  const entry = await buckets.completeUpload(
    bucket,
    key,
    id,
    named.map(({ number, etag }) => ({ number, etag })),
    { ...preconditions, checksums },
  )
  return xmlAnswer(
    writeXml('CompleteMultipartUploadResult', [
      ['Location', `/${percentEncode(bucket)}/${percentEncode(key, '/')}`],
      ['Bucket', bucket],
      ['Key', key],
      ['ETag', `"${entry.etag}"`],
      ...checksumNodes(entry.checksums),
    ]),
    versionHeader(entry, kept),
  )
}

interface Open {
  readonly upload: Upload
  readonly parts: ReadonlyMap<number, Part>
}

/** Undefined for one that is over: whoever completes it again gets the same answer, if it was completed. */
function findOpen({ buckets, bucket, key }: ObjectExchange, id: string): Open | undefined {
  try {
    const upload = buckets.upload(bucket, key, id)
    return { upload, parts: new Map(buckets.parts(bucket, key, id).map((part) => [part.number, part])) }
  } catch (error) {
    if (means(error, 'NoSuchUpload')) return undefined
    throw error
  }
}

/** @throws S3Error MalformedXML, InvalidArgument, InvalidPartOrder */
function readParts(document: XmlElement): readonly Named[] {
  const parts = document.children.filter(({ name }) => name === 'Part')
  if (document.name !== 'CompleteMultipartUpload' || parts.length === 0) throw new S3Error('MalformedXML')
  if (parts.length > MAX_PARTS) throw new S3Error('InvalidArgument', 'There may be at most 10000 parts.')
  let before = 0
  return parts.map((part) => {
    const number = Number(childText(part, 'PartNumber')?.trim())
    const etag = childText(part, 'ETag')?.trim()
    if (etag === undefined || !Number.isSafeInteger(number)) throw new S3Error('MalformedXML')
    if (number < 1 || number > MAX_PARTS)
      throw new S3Error('InvalidArgument', 'Part number must be an integer between 1 and 10000, inclusive')
    if (number <= before) throw new S3Error('InvalidPartOrder')
    before = number
    const checksums = CHECKSUM_NAMES.map((name) => [name, childText(part, `Checksum${name}`)?.trim()] as const)
    return {
      number,
      etag: unquoted(etag),
      checksums: Object.fromEntries(checksums.filter(([, value]) => value !== undefined)),
    }
  })
}

/** Those of the whole, from the parts'. @throws S3Error InvalidPart, InvalidRequest, BadDigest */
function checksumsOf({ headers }: ObjectExchange, { upload, parts }: Open, named: readonly Named[]): Checksums {
  const found = named.map((each) => {
    const part = parts.get(each.number)
    if (part === undefined || part.etag !== each.etag) throw new S3Error('InvalidPart')
    for (const [name, value] of Object.entries(each.checksums) as [ChecksumName, string][])
      if (part.checksums[name] !== undefined && part.checksums[name] !== value) throw new S3Error('InvalidPart')
    return part
  })
  const size = headers.get('x-amz-mp-object-size')
  if (size !== undefined && Number(size) !== found.reduce((sum, part) => sum + part.size, 0))
    throw new S3Error('InvalidRequest', 'The provided x-amz-mp-object-size header does not match what was computed.')
  const choice = upload.checksum
  const given = givenChecksum(headers)
  if (choice === undefined) {
    if (given !== undefined) throw new S3Error('InvalidRequest', 'The upload was created without a checksum algorithm.')
    return {}
  }
  const sums = found.map((part) => ({ size: part.size, checksum: part.checksums[choice.name] ?? '' }))
  const whole = choice.type === 'COMPOSITE' ? compositeOf(choice.name, sums) : fullOf(choice.name, sums)
  if (given !== undefined && whole !== undefined) {
    const wanted = given.name === choice.name && (given.value === whole || given.value === whole.replace(/-\d+$/, ''))
    if (!wanted)
      throw new S3Error('BadDigest', `The ${given.name} you specified did not match the calculated checksum.`)
  }
  return whole === undefined ? {} : { [choice.name]: whole }
}

function givenChecksum(headers: ObjectExchange['headers']): { name: ChecksumName; value: string } | undefined {
  for (const name of CHECKSUM_NAMES) {
    const value = headers.get(`x-amz-checksum-${name.toLowerCase()}`)
    if (value !== undefined) return { name, value }
  }
  return undefined
}
