/** A node whose packets a validator asks for an answer before it is admitted. */
export interface ProbeTarget {
  readonly endpoint: { readonly address: string; readonly port: number }
  /** 32 bytes, X25519. */
  readonly linkKey: Uint8Array
  /** By UDP where nothing else is said. */
  readonly over?: 'tls'
}
