import type { ByteRange } from '@weft/storage'
import { S3Error } from '../s3-error.ts'

/**
 * What `Range` asks for (RFC 9110, section 14.1.2). Undefined for the whole: no header, another unit, several ranges, or one that is
 * malformed, which are to be ignored. @throws S3Error InvalidRange
 */
export function readRange(header: string | undefined, size: number): ByteRange | undefined {
  const match = /^bytes=[ \t]*(\d{0,16})-(\d{0,16})[ \t]*$/i.exec(header ?? '')
  if (match === null) return undefined
  const [, first = '', last = ''] = match
  if (first === '' && last === '') return undefined
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined
  const offset = first === '' ? Math.max(0, size - Number(last)) : Number(first)
  const end = first === '' || last === '' ? size : Math.min(size, Number(last) + 1)
  if (offset >= end)
    throw new S3Error('InvalidRange', undefined, {
      fields: { RangeRequested: header ?? '', ActualObjectSize: String(size) },
      headers: { 'content-range': `bytes */${size}` },
    })
  return { offset, length: end - offset }
}

/** What `x-amz-copy-source-range` asks for: `bytes=first-last`, both within. @throws S3Error InvalidArgument, InvalidRange */
export function readCopyRange(header: string, size: number): ByteRange {
  const match = /^bytes=(\d{1,16})-(\d{1,16})$/.exec(header)
  const first = Number(match?.[1])
  const last = Number(match?.[2])
  if (match === null || last < first)
    throw new S3Error(
      'InvalidArgument',
      'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy.',
    )
  if (last >= size)
    throw new S3Error('InvalidRange', `Range specified is not valid for source object of size: ${size}`, {
      status: 416,
    })
  return { offset: first, length: last - first + 1 }
}
