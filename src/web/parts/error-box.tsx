import { problemOf } from '../api/problem.ts'
import { PlainText } from './plain-text.tsx'

interface ErrorBoxProps {
  /** What did not work, in a few words. */
  readonly title: string
  readonly error: unknown
  readonly retry?: () => void
  readonly retryName?: string
}

/** A refusal or a failure: what did not work, the engine's own sentence with its way out, and a button to try again. */
export function ErrorBox({ title, error, retry, retryName = 'Try again' }: ErrorBoxProps) {
  const { message, document } = problemOf(error)
  const requestId = typeof document['requestId'] === 'string' ? document['requestId'] : undefined
  return (
    <div className="error-box" role="alert">
      <strong>{title}</strong>
      <p>
        <PlainText text={message} />
      </p>
      {requestId !== undefined && problemOf(error).code === 'internal' && (
        <p className="muted">
          Request <code>{requestId}</code>
        </p>
      )}
      {retry !== undefined && (
        <button type="button" className="button" onClick={retry}>
          {retryName}
        </button>
      )}
    </div>
  )
}
