import { WeftError, type WeftErrorInit } from '@weft/core'

/** A fault that the daemon answered with: its own code, cause and fix, and the HTTP status (RFC 9110, section 15). */
export class ApiError extends WeftError {
  readonly status: number

  constructor(init: WeftErrorInit, status: number) {
    super(init)
    this.status = status
  }
}

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)

/** Reads an error body `{error: {code, cause, fix, retryable, details}}`; whatever else came becomes E_API_ANSWER. */
export function apiErrorOf(status: number, body: string): ApiError {
  const error = errorMember(body)
  const code = text(error?.['code'])
  const cause = text(error?.['cause'])
  if (error !== undefined && code !== undefined && cause !== undefined) {
    const details = error['details']
    return new ApiError(
      {
        code,
        cause,
        fix: text(error['fix']) ?? 'See the log of the daemon.',
        retryable: error['retryable'] === true,
        ...(typeof details === 'object' && details !== null && { details: details as Record<string, unknown> }),
      },
      status,
    )
  }
  return new ApiError(
    {
      code: 'E_API_ANSWER',
      cause: `The daemon answered with HTTP status ${status} and no fault that this version understands.`,
      fix: 'Run the CLI and the daemon of one version: weft stop, then weft start.',
    },
    status,
  )
}

function errorMember(body: string): Record<string, unknown> | undefined {
  try {
    const parsed = JSON.parse(body) as { error?: unknown } | null
    const error = parsed?.error
    return typeof error === 'object' && error !== null ? (error as Record<string, unknown>) : undefined
  } catch {
    // Not JSON: the caller tells it as an answer that it does not understand.
    return undefined
  }
}
