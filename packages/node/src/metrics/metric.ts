/** One metric with its samples as they stand; the catalogue of names is what docs and alert rules are checked against. */
export interface Metric {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge'
  readonly labels?: readonly string[]
  readonly samples: readonly Sample[]
}

export interface Sample {
  readonly labels?: Readonly<Record<string, string>>
  readonly value: number
}

export function one(value: number): Sample[] {
  return [{ value }]
}

export function gauge(
  name: string,
  help: string,
  samples: readonly Sample[],
  labels: readonly string[] = labelsOf(samples),
): Metric {
  return { name, help, type: 'gauge', labels, samples }
}

export function counter(
  name: string,
  help: string,
  samples: readonly Sample[],
  labels: readonly string[] = labelsOf(samples),
): Metric {
  return { name, help, type: 'counter', labels, samples }
}

function labelsOf(samples: readonly Sample[]): readonly string[] {
  return Object.keys(samples[0]?.labels ?? {})
}
