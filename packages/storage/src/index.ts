export * from './create-storage.ts'
export { storageProbe } from './holder/storage-probe.ts'
export { STORAGE_CLASSES } from './object/storage-class.ts'
export * from './storage.ts'
