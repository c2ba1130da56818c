import { MemoryNetwork } from './memory-network.ts'
import { testStorage } from './test-storage.ts'

// Run as a process of its own: puts as many MiB as the first argument says, in class `tiny`, to holders that keep
// nothing, and prints the most memory that this process ever had, in bytes.

const megabytes = Number(process.argv[2])
const chunk = new Uint8Array(1024 * 1024).fill(0x5a)
const network = new MemoryNetwork(9)
for (const holder of network.holders) holder.discards = true
const storage = testStorage(network.overlay())
await storage.put(
  (async function* () {
    for (let at = 0; at < megabytes; at++) yield chunk
  })(),
)
await storage[Symbol.asyncDispose]()
console.log(process.resourceUsage().maxRSS * 1024)
