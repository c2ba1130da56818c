import type * as s3 from '@aws-sdk/client-s3'
import type { CaseWorld } from './case-world.ts'

/** The least that a part may have which is not the last, bytes. */
export const PART = 5 << 20

export interface OpenUpload {
  readonly UploadId: string
  readonly Parts: s3.CompletedPart[]
  put(PartNumber: number, Body: string | Uint8Array): Promise<void>
  /** @param range from the first byte to the last, both within */
  copy(PartNumber: number, CopySource: string, range?: readonly [number, number]): Promise<void>
  complete(more?: Partial<s3.CompleteMultipartUploadCommandInput>): Promise<s3.CompleteMultipartUploadCommandOutput>
}

/** An upload that is open; a part that is put again takes the place of the one before. */
export async function openUpload(
  { client }: CaseWorld,
  Bucket: string,
  Key: string,
  more: Partial<s3.CreateMultipartUploadCommandInput> = {},
): Promise<OpenUpload> {
  const { UploadId = '' } = await client.createMultipartUpload({ Bucket, Key, ...more })
  const Parts: s3.CompletedPart[] = []
  const keep = (PartNumber: number, ETag: string | undefined): void => {
    const at = Parts.findIndex((part) => part.PartNumber === PartNumber)
    Parts.splice(at < 0 ? Parts.length : at, at < 0 ? 0 : 1, { PartNumber, ETag })
  }
  return {
    UploadId,
    Parts,
    put: async (PartNumber, Body) => {
      const { ChecksumAlgorithm } = more
      keep(PartNumber, (await client.uploadPart({ Bucket, Key, UploadId, PartNumber, Body, ChecksumAlgorithm })).ETag)
    },
    copy: async (PartNumber, CopySource, range) => {
      const CopySourceRange = range === undefined ? undefined : `bytes=${range[0]}-${range[1]}`
      const copied = await client.uploadPartCopy({ Bucket, Key, UploadId, PartNumber, CopySource, CopySourceRange })
      keep(PartNumber, copied.CopyPartResult?.ETag)
    },
    complete: (input) =>
      client.completeMultipartUpload({ Bucket, Key, UploadId, MultipartUpload: { Parts }, ...input }),
  }
}

/** Bytes in parts of 5 MiB, with a rest. */
export function partsOf(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / PART) }, (_, at) => bytes.subarray(at * PART, (at + 1) * PART))
}

/** All of it, in parts. */
export async function uploadParts(
  world: CaseWorld,
  Bucket: string,
  Key: string,
  parts: readonly (string | Uint8Array)[],
  more: Partial<s3.CreateMultipartUploadCommandInput> = {},
): Promise<OpenUpload> {
  const upload = await openUpload(world, Bucket, Key, more)
  for (const [at, part] of parts.entries()) await upload.put(at + 1, part)
  return upload
}
