/** Reply field of RFC 1928, section 6. */
export const SOCKS_REPLY = {
  succeeded: 0,
  generalFailure: 1,
  notAllowed: 2,
  networkUnreachable: 3,
  hostUnreachable: 4,
  connectionRefused: 5,
  ttlExpired: 6,
  commandNotSupported: 7,
  addressTypeNotSupported: 8,
} as const

export type SocksReply = (typeof SOCKS_REPLY)[keyof typeof SOCKS_REPLY]
