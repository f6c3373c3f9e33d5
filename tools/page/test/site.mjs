// What `cargo xtask ci --step page` hands to the tests.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

const { BROWNIAN_PAGE, BROWNIAN_EXPECTED, BROWNIAN_ROOT } = process.env;
if (!BROWNIAN_PAGE) throw new Error('`cargo xtask ci --step page` runs these tests');

/** What this machine's runtime draws; see `tools/xtask/src/page/expected.rs`. */
export const expected = JSON.parse(readFileSync(BROWNIAN_EXPECTED, 'utf8'));

/** A file of the page. */
export const pageFile = (name) => readFileSync(join(BROWNIAN_PAGE, name));

/** The path of a file of the repository. */
export const inRepository = (name) => join(BROWNIAN_ROOT, name);

const TYPES = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.wasm': 'application/wasm',
};

/** Serves the page's folder on this machine alone. */
export async function serve() {
  const server = createServer((request, response) => {
    const asked = normalize(decodeURIComponent(new URL(request.url, 'http://page').pathname));
    const path = asked === '/' ? '/index.html' : asked;
    try {
      const body = pageFile(path);
      response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { origin: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}
