// The frame of every page of the documentation: plain HTML without a script, in the studio's own colours.

export const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

export interface DocsPage {
  /** below docs/, with .html */
  path: string
  title: string
  /** trusted: made of this repository's own texts */
  body: string
}

export interface MenuEntry {
  path: string
  title: string
}

/** Steps up from a page to docs/. */
const upFrom = (path: string) => '../'.repeat(path.split('/').length - 1)

export function writePage(page: DocsPage, menu: readonly MenuEntry[]): string {
  const up = upFrom(page.path)
  const links = menu
    .map(
      ({ path, title }) =>
        `<li><a href="${up}${path}"${path === page.path ? ' aria-current="page"' : ''}>${escapeHtml(title)}</a></li>`,
    )
    .join('\n')
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<meta name="color-scheme" content="light dark" />
<title>${escapeHtml(page.title)} · AlignMerge Studio</title>
<link rel="icon" href="${up}../favicon.svg" type="image/svg+xml" />
<link rel="stylesheet" href="${up}docs.css" />
</head>
<body>
<a class="skip-link" href="#main">Skip to the text</a>
<header class="docs-head"><a href="${up}../index.html"><b>AlignMerge Studio</b></a></header>
<div class="docs-body">
<nav aria-label="Documentation"><ul>
${links}
</ul></nav>
<main id="main" tabindex="-1">
${page.body}
</main>
</div>
</body>
</html>
`
}

/** Laid over the tokens of src/views/app/theme.css. */
export const docsStyle = `
body { font-size: 15px; line-height: 1.6; }
a { color: var(--accent); }
.docs-head { padding: 12px 20px; border-bottom: 1px solid var(--line); background: var(--panel); }
.docs-head a { color: var(--ink); text-decoration: none; }
.docs-body { display: grid; grid-template-columns: 220px minmax(0, 1fr); gap: 32px; max-width: 1120px; margin: 0 auto; padding: 20px; }
.docs-body nav a { display: block; padding: 3px 8px; border-radius: 4px; color: var(--ink); text-decoration: none; font-size: 14px; }
.docs-body nav a[aria-current] { background: var(--accent-soft); font-weight: 600; }
main { min-width: 0; }
main > * + * { margin-top: 14px; }
main h1 { font-size: 26px; line-height: 1.25; margin: 0; }
main h2 { font-size: 19px; margin-top: 30px; }
main h3 { font-size: 16px; margin-top: 22px; }
main ul, main ol { padding-left: 22px; list-style: revert; }
main li + li { margin-top: 4px; }
main code { font-size: 0.88em; padding: 1px 4px; border-radius: 3px; background: var(--sunk); overflow-wrap: anywhere; }
main pre { padding: 12px; overflow-x: auto; border-radius: 6px; background: var(--sunk); }
main pre code { padding: 0; background: none; overflow-wrap: normal; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; }
th, td { padding: 5px 10px; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
thead th { border-bottom-color: var(--axis); }
th code { white-space: nowrap; }
td.number { text-align: right; white-space: nowrap; }
main img { max-width: 100%; border: 1px solid var(--line); border-radius: 6px; }
.card { padding-top: 6px; border-top: 1px solid var(--line); }
dl { display: grid; grid-template-columns: 120px minmax(0, 1fr); gap: 4px 12px; }
dt { color: var(--muted); }
@media (max-width: 760px) {
  .docs-body { grid-template-columns: minmax(0, 1fr); }
  dl { grid-template-columns: minmax(0, 1fr); }
  dd { margin-bottom: 6px; }
}
`
