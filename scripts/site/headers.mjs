// What the site says to the browser about itself, once: sent by scripts/serve.mjs, written into the built page as a
// <meta> and into `_headers` for hosts that read it, and added by the service worker where the host sends nothing.

// Each source with the reason why it is there; what is not named is refused.
const directives = {
  'default-src': ["'none'"],
  // onnxruntime-web compiles WebAssembly; nothing evaluates text.
  'script-src': ["'self'", "'wasm-unsafe-eval'"],
  'worker-src': ["'self'"],
  // React and the charts set styles through the CSSOM, which the policy does not govern.
  'style-src': ["'self'"],
  // Charts are exported as PNG through an image of their SVG.
  'img-src': ["'self'", 'data:', 'blob:'],
  // Models are read from hosts that the user names: any host over https, or a server on this machine.
  'connect-src': ["'self'", 'https:', 'http://localhost:*', 'http://127.0.0.1:*', 'data:', 'blob:'],
  'base-uri': ["'none'"],
  'form-action': ["'none'"],
  'object-src': ["'none'"],
  // Texts become scripts nowhere; the one policy (src/trusted.ts) lets workers of this site through.
  'require-trusted-types-for': ["'script'"],
  'trusted-types': ['default'],
}

const written = (table) =>
  Object.entries(table)
    .map(([name, sources]) => `${name} ${sources.join(' ')}`)
    .join('; ')

/** For the <meta> of the page, where `frame-ancestors` is not allowed to stand. */
export const metaPolicy = written(directives)

/** As a header: lessons and blogs may show the page in a frame (`?embed`), wherever they are. */
export const headerPolicy = written({ ...directives, 'frame-ancestors': ['*'] })

/** For every file of the site. */
export const siteHeaders = {
  'Content-Security-Policy': headerPolicy,
  // SharedArrayBuffer, and with it threads of WebAssembly, needs a cross-origin isolated page.
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  // A page that is isolated itself may embed only what allows it.
  'Cross-Origin-Resource-Policy': 'cross-origin',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
}

/** The same in the form that Netlify and Cloudflare Pages read. */
export function headersFile() {
  const lines = (headers) => Object.entries(headers).map(([name, value]) => `  ${name}: ${value}`)
  return `${[
    '/*',
    ...lines(siteHeaders),
    // Names below assets/ hold a hash of their content.
    '/assets/*',
    '  Cache-Control: public, max-age=31536000, immutable',
    '/sw.js',
    '  Cache-Control: no-cache',
  ].join('\n')}\n`
}
