import type { ApiServices } from '../routes/api-services.ts'
import { collectMetrics } from './collect-metrics.ts'

/**
 * The metrics in the text format of Prometheus. The values live where they arise and are read at each scrape; the
 * library is loaded at the first one, as a node that nobody scrapes need not carry its 16 MB.
 */
export async function renderMetrics(
  services: ApiServices,
): Promise<{ readonly contentType: string; readonly text: string }> {
  // By its default export: bundled CommonJS that is loaded late has no other.
  const { default: prometheus } = await import('prom-client')
  const { Counter, Gauge, Registry } = prometheus
  const registry = new Registry()
  for (const { name, help, type, labels = [], samples } of await collectMetrics(services)) {
    const options = { name, help, labelNames: [...labels], registers: [registry] }
    const metric = type === 'counter' ? new Counter(options) : new Gauge(options)
    // A metric without a sample is left out, and not told as a zero that nobody measured.
    if (samples.length === 0) registry.removeSingleMetric(name)
    for (const { labels: values = {}, value } of samples) metric.inc(values, value)
  }
  return { contentType: registry.contentType, text: await registry.metrics() }
}
