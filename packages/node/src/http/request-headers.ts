/**
 * Readers of the request headers that decide about access. All take what the wire brought and answer undefined or
 * false for anything but the exact form.
 */

/** The token of `Authorization: Bearer …` (RFC 6750, section 2.1; the scheme is case-insensitive, RFC 9110, section 11.1). */
export function bearerToken(authorization: string | undefined): string | undefined {
  return /^bearer +([A-Za-z0-9._~+/-]{1,256}=*)$/i.exec(authorization ?? '')?.[1]
}

/** The value of one cookie (RFC 6265, section 4.2). With two of one name, neither is believed. */
export function cookieValue(header: string | undefined, name: string): string | undefined {
  if (header === undefined || header.length > 8192) return undefined
  const values = header
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1))
  const [value] = values
  return values.length === 1 && value !== undefined && /^[A-Za-z0-9_-]{1,256}$/.test(value) ? value : undefined
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

export interface OriginHeaders {
  readonly host: string | undefined
  readonly origin: string | undefined
  /** Sec-Fetch-Site (W3C Fetch Metadata). */
  readonly fetchSite: string | undefined
}

/**
 * Whether a request that shows a cookie comes from the dashboard itself. A page on another port of this machine is
 * "same-site", so the cookie's SameSite attribute alone does not stop it. Browsers send `Origin` with everything that
 * may change state (RFC 6454, section 7.3), and Sec-Fetch-Site with everything.
 */
export function isSameOrigin(method: string, { host, origin, fetchSite }: OriginHeaders): boolean {
  if (host === undefined) return false
  if (fetchSite !== undefined && fetchSite !== 'same-origin' && fetchSite !== 'none') return false
  if (origin !== undefined) return origin.toLowerCase() === `http://${host.toLowerCase()}`
  return method === 'GET' || method === 'HEAD' || fetchSite === 'same-origin'
}
