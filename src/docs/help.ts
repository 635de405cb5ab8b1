// Method cards, measures and glossary: the same data as the help in the page.

import type { MethodDeclaration, ParameterDeclaration } from '../core/merge/declaration.ts'
import { DECLARATIONS } from '../core/merge/methods/declarations.ts'
import { glossary, measures, methodNotes } from '../help/index.ts'
import { type DocsPage, escapeHtml } from './shell.ts'

/** A line of help: symbols in backticks, [words](#id) lead to the glossary. */
const line = (text: string, glossaryPage = 'glossary.html'): string =>
  escapeHtml(text)
    .replace(/\[([^\]]+)\]\(#([\w-]+)\)/g, `<a href="${glossaryPage}#$2">$1</a>`)
    .replace(/`([^`]+)`/g, '<i>$1</i>')

const list = (entries: readonly string[]) =>
  `<ul>${entries.map((entry) => `<li>${line(entry)}</li>`).join('')}</ul>`

function rangeOf(parameter: ParameterDeclaration): string {
  switch (parameter.kind) {
    case 'number':
      return `${parameter.min} to ${parameter.max}`
    case 'switch':
      return 'on or off'
    case 'choice':
      return parameter.options.map(({ label }) => label).join(', ')
  }
}

function methodCard(method: MethodDeclaration): string {
  const note = methodNotes.find(({ id }) => id === method.id)
  const source = method.source.url
    ? `<a href="${escapeHtml(method.source.url)}">${escapeHtml(method.source.text)}</a>`
    : escapeHtml(method.source.text)
  const rows = method.parameters.map(
    (parameter) =>
      `<tr><th scope="row">${escapeHtml(parameter.label)}</th><td><code>${escapeHtml(parameter.id)}</code></td><td>${escapeHtml(rangeOf(parameter))}</td><td>${escapeHtml(String(parameter.default))}</td><td>${escapeHtml(parameter.source)}</td><td>${line(parameter.brief)}</td></tr>`,
  )
  const table =
    rows.length > 0
      ? `<div class="scroll" tabindex="0" role="group" aria-label="Parameters of ${escapeHtml(method.label)}"><table><thead><tr><th>Parameter</th><th>In recipes</th><th>Range</th><th>Default</th><th>From</th><th>What it does</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>`
      : '<p>It has no parameters.</p>'
  return `<section class="card" id="${escapeHtml(method.id)}"><h3>${escapeHtml(method.label)}</h3>
<p>${line(note?.does ?? method.brief)}</p>
<dl>${note ? `<dt>Computes</dt><dd>${escapeHtml(note.formula)}</dd><dt>Look out</dt><dd>${line(note.caution)}</dd>` : ''}<dt>Source</dt><dd>${source} (${escapeHtml(method.provenance)})</dd><dt>Base</dt><dd>${method.base}</dd></dl>
${table}</section>`
}

export function methodsPage(): DocsPage {
  const groups = [...new Set(DECLARATIONS.map(({ group }) => group))].sort()
  const body = groups.map(
    (group) =>
      `<h2>${escapeHtml(group[0]!.toUpperCase() + group.slice(1))}</h2>${DECLARATIONS.filter(
        (method) => method.group === group,
      )
        .map(methodCard)
        .join('\n')}`,
  )
  return {
    path: 'methods.html',
    title: 'Merge methods',
    body: `<h1>Merge methods</h1><p>${DECLARATIONS.length} methods, each as a folder with its declaration, its kernels and a float64 reference. “From” says whose definition or default a parameter is: the paper’s, common practice, or ours.</p>${body.join('\n')}`,
  }
}

export function measuresPage(): DocsPage {
  const cards = measures.map(
    (measure) => `<section class="card" id="${escapeHtml(measure.id)}"><h2>${escapeHtml(measure.label)}</h2>
<p>${line(measure.brief)}</p>
<dl><dt>Unit</dt><dd>${line(measure.unit)}</dd><dt>Better</dt><dd>${escapeHtml(measure.better)}</dd><dt>Source</dt><dd>${line(measure.source)}</dd></dl>
<h3>How it comes about</h3>${list(measure.how)}<h3>What it does not say</h3>${list(measure.pitfalls)}</section>`,
  )
  return { path: 'measures.html', title: 'Measures', body: `<h1>Measures</h1>${cards.join('\n')}` }
}

export function glossaryPage(): DocsPage {
  const entries = glossary.map(({ id, term, also, plain, exact, related }) => {
    const names = (related ?? []).map((other) => {
      const found = glossary.find((entry) => entry.id === other)
      return `<a href="#${escapeHtml(other)}">${line(found?.term ?? other)}</a>`
    })
    return `<section class="card" id="${escapeHtml(id)}"><h2>${line(term)}</h2>${also ? `<p><small>${line(also.join(', '))}</small></p>` : ''}<p>${line(plain, '')}</p>${exact ? `<p>${line(exact, '')}</p>` : ''}${names.length > 0 ? `<p>See also ${names.join(', ')}.</p>` : ''}</section>`
  })
  return { path: 'glossary.html', title: 'Glossary', body: `<h1>Glossary</h1>${entries.join('\n')}` }
}
