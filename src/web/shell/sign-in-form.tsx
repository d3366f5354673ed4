import { type FormEvent, useState } from 'react'
import { problemOf } from '../api/problem.ts'
import { signIn } from '../api/session.ts'
import { PlainText } from '../parts/plain-text.tsx'

/** Signs in by a pasted token, and says how to get a link instead. */
export function SignInForm({ onDone }: { readonly onDone?: () => void }) {
  const [token, setToken] = useState('')
  const [problem, setProblem] = useState<string>()
  const [busy, setBusy] = useState(false)
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (token.trim() === '' || busy) return
    setBusy(true)
    setProblem(undefined)
    try {
      await signIn({ token: token.trim() })
      onDone?.()
    } catch (error) {
      setProblem(problemOf(error).message)
    } finally {
      setBusy(false)
    }
  }
  return (
    <form onSubmit={(event) => void submit(event)} className="sign-in">
      <p>
        In a terminal on the engine’s machine, <code>sop open</code> makes a link that signs you in. Or paste a token
        that somebody made for you with <code>sop token create</code>:
      </p>
      <label className="field">
        <span>Token</span>
        <input
          type="password"
          name="token"
          value={token}
          autoComplete="current-password"
          spellCheck={false}
          aria-describedby={problem === undefined ? undefined : 'sign-in-problem'}
          aria-invalid={problem !== undefined}
          onChange={(event) => setToken(event.target.value)}
        />
      </label>
      <p id="sign-in-problem" role="alert" className="sign-in-problem">
        {problem !== undefined && <PlainText text={problem} />}
      </p>
      <button type="submit" className="button button-primary" aria-disabled={busy || token.trim() === ''}>
        {busy ? 'Signing in …' : 'Sign in'}
      </button>
    </form>
  )
}
