import { constants } from 'node:crypto'
import { type ConnectionOptions, type TLSSocketOptions, createSecureContext } from 'node:tls'

/** Both PEM. */
export interface TlsIdentity {
  readonly certificate: string
  readonly key: string
}

/** What web servers and browsers say as well. Nothing hangs on these names: links authenticate both sides inside. */
const COMMON = {
  minVersion: 'TLSv1.3',
  maxVersion: 'TLSv1.3',
  // Hybrid first (RFC 9794's words), as browsers offer it.
  ecdhCurve: 'X25519MLKEM768:X25519',
  secureOptions: constants.SSL_OP_NO_TICKET,
} as const
const ALPN = ['h2', 'http/1.1']
/** Bytes that TLS hands over in one read at most. */
const READ_BYTES = 64 * 1024

export function serverTls({ certificate, key }: TlsIdentity): TLSSocketOptions & { readonly highWaterMark: number } {
  return {
    isServer: true,
    secureContext: createSecureContext({ ...COMMON, cert: certificate, key }),
    ALPNProtocols: ALPN,
    highWaterMark: READ_BYTES,
  }
}

/** Any certificate is taken: who it is of does not matter, and what is in it is not looked at. */
export function clientTls(): ConnectionOptions {
  return {
    secureContext: createSecureContext(COMMON),
    ALPNProtocols: ALPN,
    rejectUnauthorized: false,
    highWaterMark: READ_BYTES,
  } as ConnectionOptions
}
