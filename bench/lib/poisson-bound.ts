/** Of 100 bounds so many hold. */
const CONFIDENCE = 0.95

/**
 * What the expected number of rare, independent events is at most, with 95 % confidence, when so many were seen: 3.00 for
 * none ("rule of three"). F. Garwood, Fiducial limits for the Poisson distribution, Biometrika 28 (1936).
 */
export function poissonBound(seen: number): number {
  let [low, high] = [seen, 2 * seen + 10]
  while (high - low > 1e-6) {
    const middle = (low + high) / 2
    if (atMost(seen, middle) > 1 - CONFIDENCE) low = middle
    else high = middle
  }
  return high
}

/** The probability of `seen` events or fewer where `expected` are expected. */
function atMost(seen: number, expected: number): number {
  let term = Math.exp(-expected)
  let sum = term
  for (let count = 1; count <= seen; count++) {
    term *= expected / count
    sum += term
  }
  return sum
}
