/** How loaded a node that carries packets is, in five steps (docs/specs/load.md): 0 idle, 1 light, 2 busy, 3 heavy, 4 full. */
export type LoadStep = 0 | 1 | 2 | 3 | 4

/** Step 4: it carries as much as it can, and nobody should begin anything new at it. */
export const FULL: LoadStep = 4

/** The words for the steps, as people are shown them. */
export const LOAD_WORDS = ['idle', 'light', 'busy', 'heavy', 'full'] as const
export type LoadWord = (typeof LOAD_WORDS)[number]

export function isLoadStep(value: number): value is LoadStep {
  return Number.isInteger(value) && value >= 0 && value <= FULL
}

export function loadWord(step: LoadStep): LoadWord {
  return LOAD_WORDS[step]
}
