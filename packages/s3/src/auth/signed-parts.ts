import { MAX_EXPIRES_S, MAX_HEADERS } from '../limits.ts'
import { type Headers, isHeaderName } from '../http/headers.ts'
import type { Query } from '../http/query.ts'
import { S3Error, type S3Code } from '../s3-error.ts'

/** What a request says of its signature; nothing of it is believed yet. */
export interface SignedParts {
  readonly accessKeyId: string
  /** YYYYMMDD */
  readonly date: string
  readonly region: string
  readonly service: string
  readonly signedHeaders: readonly string[]
  /** 64 lower-case hexadecimal digits. */
  readonly signature: string
  /** YYYYMMDDTHHMMSSZ */
  readonly timestamp: string
  /** Seconds; undefined unless it stands in the URL. */
  readonly expires: number | undefined
}

const ALGORITHM = 'AWS4-HMAC-SHA256'
const OTHER_MECHANISM =
  'The authorization mechanism that you have provided is not supported. Please use AWS4-HMAC-SHA256.'

/** Undefined for a request that nobody signed. @throws S3Error */
export function readSignedParts(headers: Headers, query: Query): SignedParts | undefined {
  const authorization = headers.get('authorization') || undefined
  const presigned = query.has('X-Amz-Algorithm') || query.has('X-Amz-Signature') || query.has('X-Amz-Credential')
  if (authorization !== undefined && presigned)
    throw new S3Error('InvalidArgument', 'Only one auth mechanism allowed: the header or the query.')
  if (authorization !== undefined) return ofHeader(authorization, headers)
  if (presigned) return ofQuery(query)
  if (query.has('AWSAccessKeyId') && query.has('Signature')) throw new S3Error('InvalidRequest', OTHER_MECHANISM)
  return undefined
}

function ofHeader(authorization: string, headers: Headers): SignedParts {
  const malformed = (what: string): S3Error => new S3Error('AuthorizationHeaderMalformed', what)
  if (!authorization.startsWith(`${ALGORITHM} `)) throw new S3Error('InvalidRequest', OTHER_MECHANISM)
  const fields = new Map<string, string>()
  for (const part of authorization.slice(ALGORITHM.length).split(',', 8)) {
    const at = part.indexOf('=')
    const name = part.slice(0, Math.max(at, 0)).trim()
    if (at < 0 || fields.has(name)) throw malformed('The authorization header is malformed.')
    fields.set(name, part.slice(at + 1).trim())
  }
  const timestamp = headers.get('x-amz-date') ?? isoOfHttpDate(headers.get('date'))
  if (timestamp === undefined)
    throw new S3Error('AccessDenied', 'AWS authentication requires a valid Date or x-amz-date header.')
  return checked(
    {
      credential: fields.get('Credential'),
      signedHeaders: fields.get('SignedHeaders'),
      signature: fields.get('Signature'),
      timestamp,
      expires: undefined,
    },
    'AuthorizationHeaderMalformed',
  )
}

function ofQuery(query: Query): SignedParts {
  if (query.get('X-Amz-Algorithm') !== ALGORITHM)
    throw new S3Error('AuthorizationQueryParametersError', 'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256".')
  const expires = query.get('X-Amz-Expires') ?? ''
  if (!/^\d{1,6}$/.test(expires) || Number(expires) < 1 || Number(expires) > MAX_EXPIRES_S)
    throw new S3Error('AuthorizationQueryParametersError', 'X-Amz-Expires must be 1 to 604800 seconds.')
  return checked(
    {
      credential: query.get('X-Amz-Credential'),
      signedHeaders: query.get('X-Amz-SignedHeaders'),
      signature: query.get('X-Amz-Signature'),
      timestamp: query.get('X-Amz-Date') ?? '',
      expires: Number(expires),
    },
    'AuthorizationQueryParametersError',
  )
}

interface Fields {
  readonly credential: string | undefined
  readonly signedHeaders: string | undefined
  readonly signature: string | undefined
  readonly timestamp: string
  readonly expires: number | undefined
}

function checked({ credential, signedHeaders, signature, timestamp, expires }: Fields, code: S3Code): SignedParts {
  const refused = (what: string): S3Error => new S3Error(code, what)
  if (credential === undefined || signedHeaders === undefined || signature === undefined)
    throw refused('Credential, SignedHeaders and Signature are needed.')
  const match = /^([\w-]{1,128})\/(\d{8})\/([A-Za-z0-9-]{1,64})\/([a-z0-9-]{1,64})\/aws4_request$/.exec(credential)
  const [, accessKeyId, date, region, service] = match ?? []
  if (accessKeyId === undefined || date === undefined || region === undefined || service === undefined)
    throw refused('The Credential has to be KEY/YYYYMMDD/REGION/s3/aws4_request.')
  if (service !== 's3') throw refused('The Credential is for another service; this is s3.')
  if (!/^[0-9a-f]{64}$/.test(signature)) throw refused('The Signature has to be 64 lower-case hexadecimal digits.')
  const names = signedHeaders.split(';', MAX_HEADERS + 1)
  if (names.length > MAX_HEADERS || !names.every(isHeaderName))
    throw refused('The SignedHeaders are not names of headers in lower case.')
  if (!names.includes('host')) throw refused('The header host has to be signed.')
  if (timeOf(timestamp) === undefined) throw refused('The date has to be YYYYMMDDTHHMMSSZ.')
  if (!timestamp.startsWith(date)) throw refused('The date of the Credential is not that of the request.')
  return { accessKeyId, date, region, service, signedHeaders: names, signature, timestamp, expires }
}

/** ms since the epoch of YYYYMMDDTHHMMSSZ. */
export function timeOf(timestamp: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(timestamp)
  if (match === null) return undefined
  const [, year, month, day, hour, minute, second] = match
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  return Number.isNaN(time) ? undefined : time
}

function isoOfHttpDate(date: string | undefined): string | undefined {
  if (date === undefined) return undefined
  if (timeOf(date) !== undefined) return date
  const time = Date.parse(date)
  if (Number.isNaN(time)) return undefined
  return `${new Date(time).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`
}
