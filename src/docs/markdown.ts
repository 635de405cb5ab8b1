// Markdown files of this repository as pages: links between them lead to pages, links to source files are shown as
// the paths that they are, tables scroll by themselves.

import { posix } from 'node:path'
import { Marked, type Tokens } from 'marked'
import { escapeHtml } from './shell.ts'

export interface MarkdownSource {
  /** in the repository */
  file: string
  text: string
  /** of the page, below docs/ */
  page: string
}

const slug = (text: string) =>
  text
    .toLowerCase()
    .replace(/<[^>]*>|[^\p{L}\p{N}\s-]/gu, '')
    .trim()
    .replace(/\s+/g, '-')

/** Title (the first heading) and HTML. `pages` maps files of the repository to pages below docs/. */
export function renderMarkdown(
  { file, text, page }: MarkdownSource,
  pages: ReadonlyMap<string, string>,
  onImage: (file: string) => void,
): { title: string; html: string } {
  const place = (href: string) => posix.normalize(posix.join(posix.dirname(file), href))
  const marked = new Marked({
    renderer: {
      heading({ tokens, depth }) {
        const words = this.parser.parseInline(tokens)
        return `<h${depth} id="${slug(words)}">${words}</h${depth}>\n`
      },
      link({ href, tokens }) {
        const words = this.parser.parseInline(tokens)
        if (/^(https?:|#)/.test(href)) return `<a href="${escapeHtml(href)}">${words}</a>`
        const [target, fragment] = href.split('#', 2) as [string, string | undefined]
        const found = pages.get(place(target))
        if (found === undefined) {
          const path = place(target)
          return words.includes(path) ? words : `${words} (<code>${escapeHtml(path)}</code>)`
        }
        const way = posix.relative(posix.dirname(page), found)
        return `<a href="${way}${fragment ? `#${fragment}` : ''}">${words}</a>`
      },
      image({ href, text: alternative }) {
        const source = place(href)
        onImage(source)
        const way = posix.relative(posix.dirname(page), posix.basename(source))
        return `<img src="${way}" alt="${escapeHtml(alternative)}" loading="lazy" />`
      },
      table(token) {
        const cell = (tag: string, { tokens }: Tokens.TableCell) =>
          `<${tag}>${this.parser.parseInline(tokens)}</${tag}>`
        // A column without a name is headed by nothing rather than by an empty heading.
        const head = token.header.map((entry) => cell(entry.text.trim() ? 'th' : 'td', entry)).join('')
        const rows = token.rows.map((row) => `<tr>${row.map((entry) => cell('td', entry)).join('')}</tr>`)
        return `<div class="scroll" tabindex="0" role="group" aria-label="Table"><table><thead><tr>${head}</tr></thead><tbody>${rows.join('\n')}</tbody></table></div>\n`
      },
    },
  })
  const title = /^# (.+)$/m.exec(text)?.[1]?.replaceAll('`', '') ?? file
  return { title, html: marked.parse(text, { async: false }) }
}
