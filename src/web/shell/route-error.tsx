import { useRouteError } from 'react-router'
import { ErrorBox } from '../parts/error-box.tsx'

/** What stands there when a screen breaks: the rest of the page goes on. */
export function RouteError() {
  const error = useRouteError()
  return (
    <div className="screen">
      <ErrorBox
        title="This screen failed"
        error={error}
        retry={() => window.location.reload()}
        retryName="Load the page again"
      />
    </div>
  )
}
