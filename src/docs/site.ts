// All files of the documentation: pages from the help's own data, from docs/*.md and from the README, one style sheet,
// the pictures that they show. Written into the build by scripts/site/docs.ts, or by `npm run docs`.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { TruthFile } from '../cli/truth.ts'
import { glossaryPage, measuresPage, methodsPage } from './help.ts'
import { type MarkdownSource, renderMarkdown } from './markdown.ts'
import { type DocsPage, docsStyle, type MenuEntry, writePage } from './shell.ts'
import { truthPage } from './truthPage.ts'

/** Files with a place of their own in the menu; docs/*.md follow by title. */
const named: readonly (readonly [file: string, page: string, title: string])[] = [
  ['README.md', 'readme.html', 'What it is'],
  ['src/README.md', 'architecture.html', 'Architecture'],
  ['CONTRIBUTING.md', 'contributing.html', 'Contributing'],
  ['CHANGELOG.md', 'changelog.html', 'What has changed'],
]

export function docsSite(root: string): Map<string, string | Uint8Array> {
  const read = (file: string) => readFileSync(join(root, file), 'utf8')
  const markdownIn = (folder: string) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.md'))
      .sort()
  const sources: MarkdownSource[] = [
    ...named.map(([file, page]) => ({ file, page, text: read(file) })),
    ...markdownIn('docs').map((name) => ({
      file: `docs/${name}`,
      page: name.replace('.md', '.html'),
      text: read(`docs/${name}`),
    })),
    ...markdownIn('docs/decisions').map((name) => ({
      file: `docs/decisions/${name}`,
      page: `decisions/${name.replace('.md', '.html')}`,
      text: read(`docs/decisions/${name}`),
    })),
  ]
  const pages = new Map(sources.map(({ file, page }) => [file, page]))
  pages.set('docs/decisions', 'decisions/index.html')
  const images = new Set<string>()
  const written: DocsPage[] = sources.map((source) => {
    const { title, html } = renderMarkdown(source, pages, (file) => images.add(file))
    return { path: source.page, title, body: html }
  })
  const titleOf = (path: string) => written.find((page) => page.path === path)?.title ?? path

  const truth = JSON.parse(read('docs/truth.json')) as TruthFile
  const helpPages = [methodsPage(), measuresPage(), glossaryPage(), truthPage(truth)]
  const decisions = written.filter(({ path }) => path.startsWith('decisions/'))
  const entry = ({ path, title }: MenuEntry, base = '') =>
    `<li><a href="${path.slice(base.length)}">${title}</a></li>`
  const decisionsPage: DocsPage = {
    path: 'decisions/index.html',
    title: 'Decisions',
    body: `<h1>Decisions</h1><p>Why things are as they are, what else was weighed, and what would change it.</p><ul>${decisions.map((page) => entry(page, 'decisions/')).join('')}</ul>`,
  }
  const guides: MenuEntry[] = written
    .filter(({ path }) => !path.includes('/') && !named.some(([, page]) => page === path))
    .map(({ path, title }) => ({ path, title }))
  const own = named.map(([, path, title]) => ({ path, title }))
  const menu: MenuEntry[] = [
    { path: 'index.html', title: 'Contents' },
    ...helpPages.map(({ path, title }) => ({ path, title })),
    ...own,
    { path: 'decisions/index.html', title: 'Decisions' },
  ]
  const contents: DocsPage = {
    path: 'index.html',
    title: 'Documentation',
    body: `<h1>Documentation</h1>
<p>Made of the same sources as the help in the page. <a href="../index.html">Open the studio</a>.</p>
<h2>To look up</h2><ul>${helpPages.map((page) => entry(page)).join('')}</ul>
<h2>To read</h2><ul>${[...own, ...guides].map((page) => entry(page)).join('')}<li><a href="decisions/index.html">Decisions</a></li></ul>`,
  }
  const files = new Map<string, string | Uint8Array>()
  for (const page of [contents, ...helpPages, decisionsPage, ...written])
    files.set(page.path, writePage({ ...page, title: page.title || titleOf(page.path) }, menu))
  files.set('docs.css', `${read('src/views/app/theme.css')}\n${docsStyle}`)
  for (const file of images)
    if (existsSync(join(root, file))) files.set(basename(file), readFileSync(join(root, file)))
  return files
}
