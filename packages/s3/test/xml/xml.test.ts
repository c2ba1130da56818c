import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { isS3Error } from '../../src/s3-error.ts'
import { childText, readXml } from '../../src/xml/read-xml.ts'
import { escapeXml, writeXml } from '../../src/xml/write-xml.ts'

const read = (text: string) => readXml(Buffer.from(text, 'utf8'))
const scalars = fc.string({ unit: 'binary', maxLength: 60 }).filter((text) => text.isWellFormed())

describe('documents', () => {
  test('what is written is read as it was, whatever the text', () => {
    fc.assert(
      fc.property(scalars, (text) => {
        assert.equal(childText(read(writeXml('A', [['B', text]])), 'B'), text)
      }),
    )
  })

  test('elements, prefixes, attributes, comments, entities and references', () => {
    const root = read(
      `<?xml version="1.0" encoding="UTF-8"?>\n<!-- x -->\n<s:Delete xmlns:s='u' a = "b>" >\r\n<Quiet/><s:Key>a&amp;&#98;&#x63;<!-- - -->&lt;\r\n&#xD;</s:Key></s:Delete >\n`,
    )
    assert.equal(root.name, 'Delete')
    assert.equal(childText(root, 'Quiet'), '')
    assert.equal(childText(root, 'Key'), 'a&bc<\n\r')
  })

  for (const text of [
    '',
    'x',
    '<a>',
    '<a></b>',
    '<a/><b/>',
    '<a/>x',
    'x<a/>',
    '</a>',
    '<!DOCTYPE a><a/>',
    '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
    '<a>&x;</a>',
    '<a>&nbsp;</a>',
    '<a>&constructor;</a>',
    '<a>& b</a>',
    '<a>&#xD800;</a>',
    '<a>&#x110000;</a>',
    '<a>&#;</a>',
    '<a><![CDATA[x]]></a>',
    '<a><?pi?></a>',
    '<a b></a>',
    '<a b="<"></a>',
    '<a b="1></a>',
    '<a><!-- -- --></a>',
    '<a><!-- </a>',
    '<1/>',
    '< a/>',
    '\ufeff\ufeff<a/>',
    `${'<a>'.repeat(9)}${'</a>'.repeat(9)}`,
  ])
    test(`refused: ${JSON.stringify(text.slice(0, 40))}`, () => {
      assert.throws(
        () => read(text),
        (error) => isS3Error(error, 'MalformedXML'),
      )
    })

  test('bytes that are no UTF-8 are refused', () => {
    assert.throws(() => readXml(Buffer.from('<a>\xff</a>', 'latin1')), isS3Error)
  })

  test('two of what may be there once are refused', () => {
    assert.throws(() => childText(read('<a><b/><b/></a>'), 'b'), isS3Error)
  })

  test('a document of its greatest size is read, in time that grows with it alone', () => {
    const parts = Array.from(
      { length: 10_000 },
      (_, at) => `<Part><ETag>&quot;${'a'.repeat(32)}&quot;</ETag><PartNumber>${at + 1}</PartNumber></Part>`,
    ).join('')
    assert.equal(read(`<C>${parts}</C>`).children.length, 10_000)
    for (const text of [`<a>${'<!--'.repeat(200_000)}`, `<a ${'b="" '.repeat(200_000)}`, `<a>${'&'.repeat(900_000)}`])
      assert.throws(() => read(text), isS3Error)
  })

  test('no control character and no markup is left in what is written', () => {
    // oxlint-disable-next-line no-control-regex -- they are what is looked for
    fc.assert(fc.property(scalars, (text) => assert.doesNotMatch(escapeXml(text), /[<>"'\u0000-\u001f]/)))
  })
})
