/** An element: its name, and its text or what is inside of it. Undefined and empty lists are left away. */
export type XmlNode = readonly [name: string, content: XmlContent]
type XmlContent = string | number | boolean | undefined | readonly XmlNode[]

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/'

/** A document of S3, in its namespace. */
export function writeXml(name: string, content: readonly XmlNode[]): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${name} xmlns="${NAMESPACE}">${content.map(write).join('')}</${name}>`
}

/** An error's document, which has no namespace. */
export function writeErrorXml(content: readonly XmlNode[]): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${content.map(write).join('')}</Error>`
}

function write([name, content]: XmlNode): string {
  if (content === undefined) return ''
  if (typeof content !== 'object') return `<${name}>${escapeXml(String(content))}</${name}>`
  // A name may carry attributes behind it.
  return `<${name}>${content.map(write).join('')}</${name.split(' ', 1)[0]}>`
}

const NAMED: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' }

/**
 * Control characters become references, as S3 writes them: of these XML 1.0 knows three only, and a client that may meet others
 * asks for encoding-type=url.
 */
export function escapeXml(text: string): string {
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  return text.replaceAll(/[&<>"'\u0000-\u001f\u007f-\u009f\u2028\ufffe\uffff]/g, (letter) => {
    return NAMED[letter] ?? `&#x${letter.charCodeAt(0).toString(16).toUpperCase()};`
  })
}
