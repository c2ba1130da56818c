import assert from 'node:assert/strict'
import { X509Certificate, createPublicKey } from 'node:crypto'
import { test } from 'node:test'
import { readDer, readOne, TAG } from '../../../src/transport/tls/der.ts'
import { createWebCertificate } from '../../../src/transport/tls/web-certificate.ts'

/** Made by OpenSSL 3: a key, and its certificate of 22 November 2026, 17:21:36 UTC (req -x509 -days 365 -addext subjectAltName=…). */
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgfoe29k1RI9L/z/cI
vY9gpFqU9sBNwDBM3vu+exsO96KhRANCAARwagujxbOmvIX9xRsc4ydM7vq8N1Y+
cRfkDPnlZPhdwMcj5bWfMWd8u9bf6snOhhhWl02pXtXtXHjGAnCdOJoJ
-----END PRIVATE KEY-----
`
const OF_OPENSSL = `-----BEGIN CERTIFICATE-----
MIIBpDCCAUugAwIBAgIUDtGJeTZ6j821Yk6p/3tKZtxNOs8wCgYIKoZIzj0EAwIw
GjEYMBYGA1UEAwwPd3d3LmV4YW1wbGUub3JnMB4XDTI2MTEyMjE3MjEzNloXDTI3
MTEyMjE3MjEzNlowGjEYMBYGA1UEAwwPd3d3LmV4YW1wbGUub3JnMFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAEcGoLo8WzpryF/cUbHOMnTO76vDdWPnEX5Az55WT4
XcDHI+W1nzFnfLvW3+rJzoYYVpdNqV7V7Vx4xgJwnTiaCaNvMG0wHQYDVR0OBBYE
FIHgsrcJU86LLOkdTz2kxlFB5dScMB8GA1UdIwQYMBaAFIHgsrcJU86LLOkdTz2k
xlFB5dScMA8GA1UdEwEB/wQFMAMBAf8wGgYDVR0RBBMwEYIPd3d3LmV4YW1wbGUu
b3JnMAoGCCqGSM49BAMCA0cAMEQCIADIioyeqv2K9e7IvsWkK83+OXbzU0J5BrKP
GnGRKoapAiAVoFhrOj81X6FzTaXXTEWP3uoo7HIIU9Ec4ISNEbkRHw==
-----END CERTIFICATE-----
`

/** All fields but the serial number and the signature, which are random. */
function fieldsOf(certificate: string): readonly string[] {
  const [body] = readDer(readOne(new X509Certificate(certificate).raw, TAG.sequence))
  return readDer(body?.content ?? new Uint8Array()).flatMap(({ bytes }, at) => (at === 1 ? [] : [bytes.toHex()]))
}

test('a certificate of a web server is the one that OpenSSL makes of the same key', () => {
  const made = createWebCertificate(KEY, 'www.example.org', Date.UTC(2026, 10, 22, 17, 21, 36))
  assert.deepEqual(fieldsOf(made), fieldsOf(OF_OPENSSL))
  const read = new X509Certificate(made)
  assert.ok(read.verify(createPublicKey(KEY)))
  assert.match(read.serialNumber, /^[0-9A-F]{40}$/)
  assert.notEqual(createWebCertificate(KEY, 'www.example.org', 0), made)
})
