export * from './api/api-client.ts'
export * from './api/api-error.ts'
export * from './api/event-stream.ts'
export * from './create-network.ts'
export * from './devnet-status.ts'
export * from './join-network.ts'
export * from './kill-node.ts'
export * from './lifecycle/daemon-command.ts'
export * from './lifecycle/devnet-directory.ts'
export {
  type DevnetNode,
  type DevnetState,
  readDevnetState,
  requireDevnetState,
  requireNode,
} from './lifecycle/devnet-state.ts'
export { type NetworkView, viewNetwork } from './lifecycle/network-view.ts'
export type { DevnetProgress, OnProgress } from './lifecycle/progress.ts'
export { nodeProcess } from './lifecycle/find-node-processes.ts'
export type { StopOptions } from './lifecycle/stop-nodes.ts'
export { logLength } from './lifecycle/last-fault.ts'
export { type DaemonExit, type StartedDaemon, waitUntilStarted } from './lifecycle/wait-until-started.ts'
export { waitUntilWhole } from './lifecycle/wait-until-whole.ts'
export { DEFAULT_NODES, MAX_NODES, MIN_NODES } from './plan/plan-nodes.ts'
export type { NodePorts } from './plan/port-block.ts'
export { memoryUsage, type MemoryUsage } from './process/memory-usage.ts'
export { referencedClock } from './process/referenced-clock.ts'
export { waitForExit } from './process/wait-for-exit.ts'
export * from './restart-node.ts'
export * from './start-devnet.ts'
export * from './stop-devnet.ts'
