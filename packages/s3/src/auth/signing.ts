import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

export const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

export function sha256Hex(data: string | Uint8Array): string {
  return createHash('sha256')
    .update(typeof data === 'string' ? Buffer.from(data, 'latin1') : data)
    .digest('hex')
}

function hmac(key: string | Uint8Array, data: string): Buffer {
  return createHmac('sha256', key).update(data, 'latin1').digest()
}

/** The key of one day, region and service. @param date YYYYMMDD */
export function signingKey(secret: string, date: string, region: string, service: string): Uint8Array {
  const day = hmac(`AWS4${secret}`, date)
  return hmac(hmac(hmac(day, region), service), 'aws4_request')
}

/** Lower-case hexadecimal. */
export function sign(key: Uint8Array, stringToSign: string): string {
  return hmac(key, stringToSign).toString('hex')
}

/** In a time that does not tell where they differ. */
export function sameSignature(a: string, b: string): boolean {
  const left = Buffer.from(a, 'latin1')
  const right = Buffer.from(b, 'latin1')
  return left.length === right.length && timingSafeEqual(left, right)
}
