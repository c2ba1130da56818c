export { MAX_SHARDS, ReedSolomon } from './reed-solomon.ts'
