import { useQuery } from '@tanstack/react-query'
import type { RunPage, SopSummary, SopVersion, SopVersionDetail } from '../../../client/client.ts'
import { request } from '../../api/request.ts'

// sop-queries.ts: what is asked about SOPs. Files change without telling the page, so each visit asks anew.

export type Sop = SopSummary & { readonly source?: Readonly<Record<string, string>> }

const ANEW = { refetchOnMount: 'always', refetchOnWindowFocus: true } as const
const pathOf = (name: string): string => `/api/v1/sops/${encodeURIComponent(name)}`

/** The catalog. */
export const useSops = () =>
  useQuery({
    queryKey: ['sops'],
    queryFn: ({ signal }) => request<{ readonly sops: readonly SopSummary[] }>('/api/v1/sops', { signal }),
    ...ANEW,
  })

export const useSop = (name: string) =>
  useQuery({ queryKey: ['sop', name], queryFn: ({ signal }) => request<Sop>(pathOf(name), { signal }), ...ANEW })

export const useVersions = (name: string) =>
  useQuery({
    queryKey: ['sop', name, 'versions'],
    queryFn: ({ signal }) =>
      request<{ readonly versions: readonly SopVersion[] }>(`${pathOf(name)}/versions`, { signal }),
    ...ANEW,
  })

/** A definition never changes under its digest. */
export const useVersion = (name: string, digest: string | undefined) =>
  useQuery({
    queryKey: ['sop', name, 'versions', digest],
    queryFn: ({ signal }) => request<SopVersionDetail>(`${pathOf(name)}/versions/${digest ?? ''}`, { signal }),
    enabled: digest !== undefined,
  })

export const useLastRuns = (name: string, limit: number) =>
  useQuery({
    queryKey: ['sop', name, 'runs', limit],
    queryFn: ({ signal }) =>
      request<RunPage>(`/api/v1/runs?sop=${encodeURIComponent(name)}&limit=${limit}`, { signal }),
    ...ANEW,
  })

export { pathOf as sopPath }
