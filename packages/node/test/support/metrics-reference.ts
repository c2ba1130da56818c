import type { Metric } from '../../src/metrics/metric.ts'

/** The text of docs/metrics.md; a test compares the file with it. */
export function metricsReference(metrics: readonly Metric[]): string {
  const lines = [
    '# Metrics of a node',
    '',
    'Generated from `packages/node/src/metrics/collect-metrics.ts`: do not edit (`WEFT_TEST_WRITE_DOCS=1 npm test` writes it).',
    '',
    '`GET /metrics` on the API port, with a token of the scope `metrics:read`, in the text format of Prometheus 0.0.4.',
    '',
    '| metric | type | labels | what |',
    '|---|---|---|---|',
    ...metrics.map(({ name, type, labels = [], help }) => `| \`${name}\` | ${type} | ${labels.join(', ')} | ${help} |`),
  ]
  return `${lines.join('\n')}\n`
}
