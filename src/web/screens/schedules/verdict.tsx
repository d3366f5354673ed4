import type { DeliveryVerdict } from '../../../core/trigger/delivery.ts'
import type { TestResult } from './trigger-queries.ts'

const TONES: Readonly<Record<DeliveryVerdict | TestResult['verdict'], string>> = {
  started: 'good',
  would_start: 'good',
  duplicate: 'quiet',
  unmatched: 'quiet',
  refused: 'warn',
  failed: 'bad',
}

/** What became of an occurrence, or would. */
export function Verdict({ verdict }: { readonly verdict: DeliveryVerdict | TestResult['verdict'] }) {
  return <span className={`badge badge-${TONES[verdict]}`}>{verdict.replaceAll('_', ' ')}</span>
}
