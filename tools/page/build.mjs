// node build.mjs FOLDER: bundles the page's scripts, with all that they import, into a folder.
import { build } from 'esbuild';

await build({
  entryPoints: ['web/main.js', 'web/draw-worker.js', 'web/pico-worker.js'],
  outdir: process.argv[2],
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  // What is bundled keeps its licences.
  legalComments: 'eof',
  logLevel: 'warning',
});
