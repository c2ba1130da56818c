import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { allowedHosts, bearerToken, cookieValue, isAllowedHost, isSameOrigin } from '../../src/http/request-headers.ts'

test('property: only the exact hosts are allowed', () => {
  const allowed = allowedHosts(7780, ['weft.example'])
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.domain(), fc.ipV4(), fc.constantFrom(...allowed)), (host) => {
      assert.equal(isAllowedHost(host, allowed), allowed.has(host.toLowerCase()))
      for (const disguised of [
        `${host}.evil.example`,
        `evil.example/${host}`,
        `evil@${host}`,
        `${host},evil`,
        ` ${host}`,
        `${host}:1`,
      ]) {
        assert.equal(isAllowedHost(disguised, allowed), false, disguised)
      }
    }),
  )
  assert.equal(isAllowedHost(undefined, allowed), false)
})

test('property: a bearer token is given back exactly, and nothing else is one', () => {
  const token = fc.stringMatching(/^[A-Za-z0-9._~+/-]{1,256}=*$/)
  fc.assert(
    fc.property(token, fc.constantFrom('Bearer', 'bearer', 'BEARER'), (value, scheme) =>
      assert.equal(bearerToken(`${scheme} ${value}`), value),
    ),
  )
  fc.assert(
    fc.property(fc.string(), (text) => {
      const found = bearerToken(text)
      if (found !== undefined) assert.match(text, /^bearer +\S+$/i)
    }),
  )
})

test('property: a cookie is found among others, and two of one name are none', () => {
  const value = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/)
  fc.assert(
    fc.property(value, value, fc.string(), (mine, other, noise) => {
      const clean = noise.replaceAll(/[;=]/g, '')
      assert.equal(cookieValue(`${clean}=1; weft=${mine}; xweft=${other}`, 'weft'), mine)
      assert.equal(cookieValue(`weft=${mine}; weft=${other}`, 'weft'), undefined)
      assert.equal(cookieValue(`xweft=${mine}`, 'weft'), undefined)
    }),
  )
  fc.assert(fc.property(fc.string(), (header) => void cookieValue(header, 'weft')))
})

test('property: a request with a foreign origin never counts as the own one', () => {
  const host = '127.0.0.1:7780'
  fc.assert(
    fc.property(
      fc.constantFrom('GET', 'POST', 'PUT', 'DELETE'),
      fc.option(fc.webUrl(), { nil: undefined }),
      fc.option(fc.string(), { nil: undefined }),
      (method, origin, fetchSite) => {
        const same = isSameOrigin(method, { host, origin, fetchSite })
        if (origin !== undefined) assert.equal(same, false)
        if (same) assert.ok(fetchSite === undefined || fetchSite === 'none' || fetchSite === 'same-origin')
      },
    ),
  )
  assert.equal(isSameOrigin('POST', { host, origin: `http://${host}`, fetchSite: undefined }), true)
  assert.equal(isSameOrigin('POST', { host, origin: `https://${host}`, fetchSite: undefined }), false)
  assert.equal(isSameOrigin('POST', { host, origin: undefined, fetchSite: undefined }), false)
  assert.equal(isSameOrigin('GET', { host: undefined, origin: undefined, fetchSite: undefined }), false)
})
