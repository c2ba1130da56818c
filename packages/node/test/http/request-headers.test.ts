import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { allowedHosts, bearerToken, isAllowedHost } from '../../src/http/request-headers.ts'

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
