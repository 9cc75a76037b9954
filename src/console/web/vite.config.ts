/** Builds the console's page. Everything it loads is its own file on the same origin: the page's policy allows no other. */
import { defineConfig } from 'vite'

export default defineConfig({
  root: import.meta.dirname,
  // Relative, so that the page also works behind a proxy that mounts it under a path.
  base: './',
  // The root tsconfig speaks of Node; JSX here is Preact's, without a transform of signals.
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    // Below dist/console, where the compiled plugin lies: emptying it must not take that along.
    outDir: '../../../dist/console/web',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    // No data: addresses; the policy would have to allow them.
    assetsInlineLimit: 0,
  },
  worker: { format: 'es' },
})
