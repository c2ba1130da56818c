import type * as s3 from '@aws-sdk/client-s3'
import type { CaseWorld } from './case-world.ts'

export interface ListAsked {
  readonly Bucket: string
  readonly Prefix?: string
  readonly Delimiter?: string
  readonly MaxKeys?: number
  readonly EncodingType?: 'url'
  /** The marker of the first form, start-after of the second. */
  readonly after?: string
}

export interface Listed {
  readonly keys: readonly string[]
  readonly prefixes: readonly string[]
  readonly truncated: boolean | undefined
  /** How the answer says to go on. */
  readonly next: string | undefined
  readonly after: string | undefined
  readonly answer: s3.ListObjectsCommandOutput | s3.ListObjectsV2CommandOutput
}

export function listOf({ Contents = [] }: Pick<s3.ListObjectsCommandOutput, 'Contents'>): string[] {
  return Contents.map(({ Key = '' }) => Key)
}

function listed(answer: Listed['answer'], next: string | undefined, after: string | undefined): Listed {
  const prefixes = (answer.CommonPrefixes ?? []).map(({ Prefix = '' }) => Prefix)
  return { keys: listOf(answer), prefixes, truncated: answer.IsTruncated, next, after, answer }
}

async function firstForm({ client }: CaseWorld, { after, ...asked }: ListAsked): Promise<Listed> {
  const answer = await client.listObjects({ ...asked, ...(after === undefined ? {} : { Marker: after }) })
  return listed(answer, answer.NextMarker, answer.Marker)
}

async function secondForm({ client }: CaseWorld, asked: ListAsked, token?: string): Promise<Listed> {
  const { after, ...rest } = asked
  const answer = await client.listObjectsV2({
    ...rest,
    ...(after === undefined ? {} : { StartAfter: after }),
    ...(token === undefined ? {} : { ContinuationToken: token }),
  })
  return listed(answer, answer.NextContinuationToken, answer.StartAfter)
}

/** The same list in its first form and its second. */
export async function listBoth(world: CaseWorld, asked: ListAsked): Promise<readonly Listed[]> {
  return [await firstForm(world, asked), await secondForm(world, asked)]
}

/** All pages of the list, in its first form and its second. */
export async function pages(world: CaseWorld, asked: ListAsked): Promise<readonly (readonly Listed[])[]> {
  const first: Listed[] = []
  for (let page = await firstForm(world, asked); ;) {
    first.push(page)
    if (page.truncated !== true) break
    // Without a delimiter the last key is the marker.
    page = await firstForm(world, { ...asked, after: page.next ?? page.keys.at(-1) ?? '' })
  }
  const second: Listed[] = []
  for (let page = await secondForm(world, asked); ;) {
    second.push(page)
    if (page.truncated !== true) break
    page = await secondForm(world, asked, page.next)
  }
  return [first, second]
}
