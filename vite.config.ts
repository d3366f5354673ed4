import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/**
 * The page. `npm run build` makes dist/web of it; to work on it, `npx vite` serves it with reload at each change, and
 * asks the engine that runs on the default port.
 */
export default defineConfig({
  root: 'src/web',
  plugins: [react()],
  build: {
    target: 'es2022',
    // Every file has a name and an address of its own: the content security policy allows nothing inline.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    license: { fileName: 'licenses.md' },
    emptyOutDir: true,
    reportCompressedSize: false,
  },
  // Not the whole of /api: the page's own sources have such a folder.
  server: { proxy: { '^/api/v1/': 'http://127.0.0.1:7780' } },
})
