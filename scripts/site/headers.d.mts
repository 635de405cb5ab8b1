/** Content-Security-Policy for the <meta> of the page. */
export const metaPolicy: string
/** The same as a header, with `frame-ancestors`. */
export const headerPolicy: string
/** Headers of every file of the site. */
export const siteHeaders: Readonly<Record<string, string>>
/** `_headers` of Netlify and Cloudflare Pages. */
export function headersFile(): string
