// app.tsx: the addresses of the page. Each screen but sign-in is a file of its own that is loaded when somebody first goes there.

import { QueryClientProvider } from '@tanstack/react-query'
import { createBrowserRouter } from 'react-router'
import { RouterProvider } from 'react-router/dom'
import { queryClient } from './api/query-client.ts'
import { Component as Login } from './screens/login/login.tsx'
import { Frame } from './shell/frame.tsx'
import { RouteError } from './shell/route-error.tsx'

const router = createBrowserRouter([
  {
    path: '/login',
    Component: Login,
    ErrorBoundary: RouteError,
  },
  {
    Component: Frame,
    ErrorBoundary: RouteError,
    HydrateFallback: Blank,
    children: [
      { index: true, lazy: () => import('./screens/waiting/waiting.tsx') },
      { path: 'runs', lazy: () => import('./screens/runs/runs.tsx') },
      { path: 'runs/:id', lazy: () => import('./screens/run/run.tsx') },
      { path: 'sops', lazy: () => import('./screens/sops/sops.tsx') },
      { path: 'sops/:name', lazy: () => import('./screens/sop/sop.tsx') },
      { path: 'schedules', lazy: () => import('./screens/schedules/schedules.tsx') },
      { path: 'insights', lazy: () => import('./screens/insights/insights.tsx') },
      { path: '*', lazy: () => import('./screens/not-found/not-found.tsx') },
    ],
  },
])

export function App() {
  return (
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  )
}

function Blank() {
  return null
}
