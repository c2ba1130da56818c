import { ApiClient } from '@weft/devnet'
import type { Invocation } from '../program/invocation.ts'
import { homeOf } from './home.ts'

/** The API of the daemon that this command speaks to. Nothing is sent yet. */
export function openApi(invocation: Invocation): ApiClient {
  return new ApiClient(homeOf(invocation))
}
