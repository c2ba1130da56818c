import { type BenchDevnet, weft } from './bench-devnet.ts'
import { clientConnected } from './client-connected.ts'

/** New streams of the client go by a profile, over routes that stand. */
export async function useProfile({ client }: BenchDevnet, name: string): Promise<void> {
  await weft(['vpn', 'profile', 'use', name], client)
  await clientConnected(client)
}
