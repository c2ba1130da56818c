import { decodeUtf8 } from '../http/percent.ts'
import { MAX_XML_DEPTH, MAX_XML_ELEMENTS } from '../limits.ts'
import { S3Error } from '../s3-error.ts'

export interface XmlElement {
  /** Without its prefix: S3 has one namespace. */
  readonly name: string
  readonly children: readonly XmlElement[]
  /** All text directly in it. */
  readonly text: string
}

interface Open {
  readonly tag: string
  readonly children: XmlElement[]
  text: string
}

const NAME = /[A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?/y
const ATTRIBUTE = /[ \t\r\n]+[A-Za-z_:][\w.:-]*[ \t\r\n]*=[ \t\r\n]*(?:"[^"<]*"|'[^'<]*')/y
const SPACE = /[ \t\r\n]*/y
const DECLARATION = /<\?xml[ \t\r\n][^?<>]*\?>/y
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/**
 * The root of a small document as clients of S3 send it: elements, text, comments, the five entities and references by number.
 * No document type, no other entities, no processing instructions, no CDATA. Attributes are passed over.
 * @throws S3Error MalformedXML
 */
export function readXml(bytes: Uint8Array): XmlElement {
  const text = decodeUtf8(bytes)
  if (text === undefined) throw new S3Error('MalformedXML')
  return new XmlReader(text.startsWith('\ufeff') ? text.slice(1) : text).read()
}

class XmlReader {
  readonly #text: string
  #at = 0
  #elements = 0

  constructor(text: string) {
    this.#text = text
  }

  read(): XmlElement {
    this.#match(DECLARATION)
    this.#skip()
    const root: Open = { tag: '', children: [], text: '' }
    const open: Open[] = [root]
    while (open.length > 1 || root.children.length === 0) this.#step(open)
    this.#skip()
    const [only] = root.children
    if (this.#at !== this.#text.length || only === undefined) throw malformed()
    return only
  }

  /** Between elements: space and comments. */
  #skip(): void {
    do this.#match(SPACE)
    while (this.#comment())
  }

  #comment(): boolean {
    if (!this.#text.startsWith('<!--', this.#at)) return false
    const end = this.#text.indexOf('--', this.#at + 4)
    if (end < 0 || this.#text[end + 2] !== '>') throw malformed()
    this.#at = end + 3
    return true
  }

  #step(open: Open[]): void {
    const inside = open.at(-1) as Open
    if (this.#text[this.#at] !== '<') {
      if (open.length === 1) throw malformed()
      const end = this.#text.indexOf('<', this.#at)
      if (end < 0) throw malformed()
      inside.text += unescape(this.#text.slice(this.#at, end))
      this.#at = end
      return
    }
    if (this.#comment()) return
    if (this.#text[this.#at + 1] === '/') this.#close(open)
    else this.#open(open)
  }

  #open(open: Open[]): void {
    this.#at++
    const tag = this.#match(NAME)
    this.#elements++
    if (tag === undefined || open.length > MAX_XML_DEPTH || this.#elements > MAX_XML_ELEMENTS) throw malformed()
    while (this.#match(ATTRIBUTE) !== undefined);
    this.#match(SPACE)
    const empty = this.#text.startsWith('/>', this.#at)
    if (!empty && this.#text[this.#at] !== '>') throw malformed()
    this.#at += empty ? 2 : 1
    const element: Open = { tag, children: [], text: '' }
    if (empty) open.at(-1)?.children.push(closed(element))
    else open.push(element)
  }

  #close(open: Open[]): void {
    this.#at += 2
    const tag = this.#match(NAME)
    this.#match(SPACE)
    const element = open.pop()
    if (element === undefined || tag !== element.tag || this.#text[this.#at] !== '>') throw malformed()
    this.#at++
    open.at(-1)?.children.push(closed(element))
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const match = pattern.exec(this.#text)
    if (match === null) return undefined
    this.#at = pattern.lastIndex
    return match[0]
  }
}

function closed({ tag, children, text }: Open): XmlElement {
  return { name: tag.slice(tag.indexOf(':') + 1), children, text }
}

/** Ends of lines become LF (XML 1.0, section 2.11), before references are read: one to a CR stays. */
function unescape(text: string): string {
  const lines = text.includes('\r') ? text.replaceAll(/\r\n?/g, '\n') : text
  if (!lines.includes('&')) return lines
  return lines.replaceAll(/&([^;&]{0,10};?)/g, (_, inside: string) => {
    if (!inside.endsWith(';')) throw malformed()
    const name = inside.slice(0, -1)
    const entity = Object.hasOwn(ENTITIES, name) ? ENTITIES[name] : character(name)
    if (entity === undefined) throw malformed()
    return entity
  })
}

function character(name: string): string | undefined {
  const match = /^#(?:x([0-9a-fA-F]{1,6})|(\d{1,7}))$/.exec(name)
  if (match === null) return undefined
  const code = match[1] === undefined ? Number(match[2]) : Number.parseInt(match[1], 16)
  return code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? undefined : String.fromCodePoint(code)
}

function malformed(): S3Error {
  return new S3Error('MalformedXML')
}

/** The one child of that name; undefined without one. @throws S3Error MalformedXML with more than one */
export function child(element: XmlElement, name: string): XmlElement | undefined {
  const found = element.children.filter((each) => each.name === name)
  if (found.length > 1) throw malformed()
  return found[0]
}

export function childText(element: XmlElement, name: string): string | undefined {
  return child(element, name)?.text
}
