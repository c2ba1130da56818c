import { WeftError } from '@weft/core'

/** HTTP status (RFC 9110, section 15) of each code that has one of its own. */
const STATUS: Readonly<Record<string, number>> = {
  E_REQUEST_INVALID: 400,
  E_ARCHIVE_INVALID: 400,
  E_ARCHIVE_VERSION: 400,
  E_REF_INVALID: 400,
  E_REF_NETWORK: 400,
  E_CLASS_UNKNOWN: 400,
  E_PUT_OPTION: 400,
  E_PUT_SIZE: 400,
  E_OBJECT_KEY: 400,
  E_UPLOAD_BROKEN: 400,
  E_DID_INVALID: 400,
  E_INVITE_NEEDLESS: 400,
  E_BRIDGE_ADDRESS: 400,
  E_PROFILE_INVALID: 400,
  E_LINK_INVALID: 401,
  E_UNAUTHENTICATED: 401,
  E_SCOPE_MISSING: 403,
  E_NOT_INVITER: 403,
  E_ROUTE_UNKNOWN: 404,
  E_NODE_UNKNOWN: 404,
  E_OBJECT_UNKNOWN: 404,
  E_OBJECT_NOT_FOUND: 404,
  E_RECORD_NOT_FOUND: 404,
  E_TOKEN_UNKNOWN: 404,
  E_S3_KEY_UNKNOWN: 404,
  E_BRIDGE_UNKNOWN: 404,
  E_PROFILE_UNKNOWN: 404,
  E_METHOD_NOT_ALLOWED: 405,
  E_REQUEST_TIMEOUT: 408,
  E_NOT_A_VALIDATOR: 409,
  E_REVOCATION_NONE: 409,
  E_TOKEN_NAME_TAKEN: 409,
  E_TOKEN_LIMIT: 409,
  E_S3_KEY_NAME_TAKEN: 409,
  E_S3_KEY_LIMIT: 409,
  E_CATALOG_WRITER: 409,
  E_BRIDGE_OFF: 409,
  E_BRIDGE_NAME_TAKEN: 409,
  E_BRIDGE_LIMIT: 409,
  E_TUN_SPLIT: 409,
  E_PROFILE_BUILT_IN: 409,
  E_PROFILE_EXISTS: 409,
  E_PROFILE_IN_USE: 409,
  E_PROFILE_LIMIT: 409,
  E_KILL_SWITCH_BUSY: 409,
  E_KILL_SWITCH_PLACE: 409,
  E_KILL_SWITCH_RIGHTS: 409,
  E_KILL_SWITCH_TAKEN: 409,
  E_KILL_SWITCH_UNAVAILABLE: 409,
  E_OBJECT_REMOVED: 410,
  E_BODY_TOO_LARGE: 413,
  E_CONTENT_TYPE: 415,
  E_RANGE: 416,
  E_HOST_REFUSED: 421,
  E_TOO_MANY_STREAMS: 429,
  E_INTERNAL: 500,
  E_NODE_UNREACHABLE: 502,
  E_NETWORK_MISMATCH: 502,
  E_ABORTED: 503,
  E_STARTING: 503,
  E_CLASS_UNAVAILABLE: 503,
  E_HOLDERS_LOST: 503,
  E_SHARDS_MISSING: 503,
  E_RECORD_UNAVAILABLE: 503,
  E_CALL_TIMEOUT: 504,
  E_DISK_FULL: 507,
  E_QUOTA: 507,
}

export function statusOf(error: WeftError): number {
  return STATUS[error.code] ?? (error.retryable ? 503 : 500)
}

/** What fastify itself refuses, in words of ours. */
const FRAMEWORK: Readonly<Record<string, readonly [code: string, cause: string, fix: string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: [
    'E_BODY_TOO_LARGE',
    'The body is larger than 64 KiB.',
    'Send less; data of objects goes by PUT /api/v1/objects.',
  ],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    'E_CONTENT_TYPE',
    'The body is not application/json.',
    'Send JSON with Content-Type: application/json.',
  ],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['E_REQUEST_INVALID', 'The body is empty.', 'Send a JSON object.'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['E_REQUEST_INVALID', 'The body is not valid JSON.', 'Send a JSON object.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [
    'E_REQUEST_INVALID',
    'The body does not have the length that Content-Length says.',
    'Send as many bytes as announced.',
  ],
  FST_ERR_BAD_URL: [
    'E_REQUEST_INVALID',
    'The path of the request is not valid.',
    'Percent-encode it (RFC 3986, section 2.1).',
  ],
  FST_ERR_MAX_PARAM_LENGTH: [
    'E_REQUEST_INVALID',
    'A part of the path is longer than 128 characters.',
    'Ids have at most 56.',
  ],
}

/** The WeftError of whatever a handler or fastify threw. Unknown errors tell nothing of themselves to the caller. */
export function apiErrorOf(error: unknown): WeftError {
  if (error instanceof WeftError) return error
  const code = (error as { code?: unknown } | null)?.code
  const known = typeof code === 'string' ? FRAMEWORK[code] : undefined
  if (known !== undefined) return new WeftError({ code: known[0], cause: known[1], fix: known[2] })
  if ((error as { statusCode?: unknown } | null)?.statusCode === 400) {
    return new WeftError({
      code: 'E_REQUEST_INVALID',
      cause: 'The request is not valid HTTP for this route.',
      fix: 'See /api/v1/openapi.json.',
    })
  }
  return new WeftError({
    code: 'E_INTERNAL',
    cause: 'The daemon met an error that it did not expect.',
    fix: 'Look in the log of the daemon (logs/daemon.log in its home; log.level "debug" shows where), and report it.',
    origin: error,
  })
}

export function requestInvalid(cause: string, fix: string): WeftError {
  return new WeftError({ code: 'E_REQUEST_INVALID', cause, fix })
}
