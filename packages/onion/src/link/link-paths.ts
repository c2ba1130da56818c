import type { Endpoint } from './endpoint.ts'

/** The ways that lead to the other side of a link which this side makes. */
export interface LinkPaths {
  /**
   * Where the next initiations go, one each, at least one: the way that is wanted most last, so that its answer counts even after another's.
   * @param tries how many times some went since one was answered
   */
  next(tries: number): readonly Endpoint[]
  /** One was answered from there: the link goes that way from now on. */
  answered?(by: Endpoint): void
  /** ms after which keys are renewed early, so that other ways are tried; undefined on the way that is wanted most. */
  renewAfterMs?(by: Endpoint): number | undefined
}

/** One way and no other. */
export function onlyPath(endpoint: Endpoint): LinkPaths {
  const ways = [endpoint]
  return { next: () => ways }
}
