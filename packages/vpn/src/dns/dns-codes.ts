/** Types of records (RFC 1035, section 3.2.2; RFC 3596; RFC 6891; RFC 9460) and of questions alone (RFC 1035, section 3.2.3; RFC 1995). */
export const TYPE = { a: 1, soa: 6, ptr: 12, aaaa: 28, opt: 41, svcb: 64, https: 65, ixfr: 251, axfr: 252 } as const

export const CLASS_IN = 1

/** RFC 1035, section 4.1.1; RFC 6891, section 9 (the upper bits stand in OPT). */
export const RCODE = {
  noError: 0,
  formatError: 1,
  serverFailure: 2,
  nameError: 3,
  notImplemented: 4,
  refused: 5,
  badVersion: 16,
} as const

/** Bits of the second 16 of a header (RFC 1035, section 4.1.1; RFC 4035, section 3.2.2). */
export const FLAG = {
  response: 0x8000,
  opcode: 0x7800,
  truncated: 0x0200,
  recursionDesired: 0x0100,
  recursionAvailable: 0x0080,
  checkingDisabled: 0x0010,
  rcode: 0x000f,
} as const

/** RFC 8914, section 4. */
export const EDE = { other: 0, notReady: 14, blocked: 15, noReachableAuthority: 22, networkError: 23 } as const

export const HEADER_BYTES = 12
/** A message over TCP has its length before it in 16 bits (RFC 1035, section 4.2.2). */
export const MAX_MESSAGE_BYTES = 65_535
/** What UDP carries to whoever says nothing else (RFC 1035, section 4.2.1), and at most: fits every path (RFC 9715). */
export const MIN_UDP_BYTES = 512
export const MAX_UDP_BYTES = 1_232
