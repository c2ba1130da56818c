/**
 * Readers of the request headers that decide about access. All take what the wire brought and answer undefined or
 * false for anything but the exact form.
 */

/** The token of `Authorization: Bearer …` (RFC 6750, section 2.1; the scheme is case-insensitive, RFC 9110, section 11.1). */
export function bearerToken(authorization: string | undefined): string | undefined {
  return /^bearer +([A-Za-z0-9._~+/-]{1,256}=*)$/i.exec(authorization ?? '')?.[1]
}

/** The names under which the API answers on its TCP port: against DNS rebinding, `Host` must be one of them. */
export function allowedHosts(port: number, more: readonly string[]): ReadonlySet<string> {
  const hosts = ['127.0.0.1', 'localhost', '[::1]'].flatMap((host) =>
    port === 80 ? [host, `${host}:80`] : [`${host}:${port}`],
  )
  return new Set([...hosts, ...more.map((host) => host.toLowerCase())])
}

/** Whether `Host` (RFC 9110, section 7.2) names this API. Host names are compared without regard to case. */
export function isAllowedHost(host: string | undefined, allowed: ReadonlySet<string>): boolean {
  return host !== undefined && allowed.has(host.toLowerCase())
}
