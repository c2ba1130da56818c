import type { WeftError } from '@weft/core'

/** What a program asked the proxy for: a connection to a host and port. */
export interface ProxyRequest {
  /** A name, or an IP literal. */
  readonly host: string
  readonly port: number
  /** By its user and password, if given: requests of different ones never share a circuit. */
  readonly isolation: string | undefined
}

/** What a program asked the proxy for: to carry its datagrams, for as long as its connection stands. */
export interface AssociateRequest {
  /** From which it will send them; 0 when it does not know yet. */
  readonly port: number
  readonly isolation: string | undefined
}

/** What a program asked the proxy for: the address of a name, or the name of an address. */
export interface ResolveRequest {
  readonly host: string
  readonly isReverse: boolean
  readonly isolation: string | undefined
}

/** What to do about a program that speaks something else. */
export const SET_RIGHT = 'Set it to SOCKS5 with names resolved by the proxy (socks5h), or to HTTP CONNECT.'

export type ProxyStep =
  /** Bytes to answer with; the conversation goes on. */
  | { readonly kind: 'answer'; readonly bytes: Uint8Array }
  /** The request is whole; `rest` came behind it and belongs to the target. */
  | { readonly kind: 'request'; readonly request: ProxyRequest; readonly rest: Uint8Array }
  | { readonly kind: 'associate'; readonly request: AssociateRequest }
  | { readonly kind: 'resolve'; readonly request: ResolveRequest }
  /** Bytes to end with; `why` unless that is what was asked for, and what to do where it is not {@link SET_RIGHT}. */
  | { readonly kind: 'end'; readonly bytes: Uint8Array; readonly why?: string; readonly fix?: string }

/** The server's half of one protocol up to the request, sans-I/O. Once it ended or has the request it takes no more. */
export interface ProxyParser {
  /** @returns what to do now, in order. */
  push(bytes: Uint8Array): ProxyStep[]
  /** What says that the target is reached. */
  readonly succeeded: Uint8Array
  /** What says that it is not. */
  failed(fault: WeftError): Uint8Array
}
