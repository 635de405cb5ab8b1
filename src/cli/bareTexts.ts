// Words in code that bypass the catalogue: string constants and templates that reach the page with no t() around them.
// What is no text for people, or is English on purpose, is listed below with the reason.

export interface Node {
  type: string
  start: number
  [key: string]: unknown
}

export const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as Node).type === 'string'

/** Letters in a row: a word, and not a symbol or a unit sign. */
export const hasWord = (text: string): boolean => /[A-Za-z]{3,}/.test(text)

/** What has the look of a text in data: a sentence, a name with a capital, several words. */
export const isProse = (text: string): boolean => hasWord(text) && (/\s/.test(text) || /^[A-Z]/.test(text))

/** Properties that hold texts for people wherever they stand in views and state; whoever shows them calls t(). */
export const textProperties = new Set(['label', 'title', 'brief', 'detail', 'caption', 'note'])
/** Attributes that are read out or shown. */
const textAttributes = new Set([
  ...['title', 'aria-label', 'aria-valuetext', 'aria-roledescription', 'aria-description', 'placeholder'],
  ...['label', 'alt', 'brief', 'summary', 'copyLabel', 'found', 'valueText', 'xLabel', 'yLabel'],
])
/** Attributes that browsers and other code read. */
const codeAttributes =
  /^(className|style|d|viewBox|points|transform|fill|stroke|id|href|rel|accept|pattern|autoComplete|value|key|name|htmlFor|data-.*)$/

/** Units, key names and symbols, the same in every language. */
const signs = /\b(ms|min|kB|MB|GB|SHA-256|Ctrl|Shift|Esc|Enter)\b(?!-)|λ_align/g

interface Exemption {
  file: string
  /** every text of the file where they are left out */ texts?: readonly string[]
  reason: string
}

const sampleFile = 'contents of a file as an example'
const heading = 'headings of CSV files: the same for every reader and every script'
const properName = 'proper names'
const fault = 'for the report of a fault, which is English for whoever mends it'

/** What stays as it is. */
export const exemptions: readonly Exemption[] = [
  { file: 'src/state/report/collect.ts', reason: 'the copied report is English for whoever reads it' },
  { file: 'src/state/share/tables.ts', reason: heading },
  { file: 'src/state/play/runSet.ts', texts: ['answer:', 'verdict:'], reason: heading },
  { file: 'src/state/play/promptFile.ts', texts: ['column'], reason: heading },
  {
    file: 'src/views/play/TokenTable.tsx',
    texts: ['log probability:', 'rank:', 'log-likelihood ratio to'],
    reason: heading,
  },
  { file: 'src/views/compare/exportComparison.ts', texts: ['low', 'high'], reason: heading },
  {
    file: 'src/views/play/SetsView.tsx',
    texts: ['prompt,label\nhow do i open the door?,safe'],
    reason: sampleFile,
  },
  {
    file: 'src/views/train/OwnPairsField.tsx',
    texts: ['prompt,answer\nwhat is the capital of france?,paris'],
    reason: sampleFile,
  },
  { file: 'src/views/library/AddModel.tsx', texts: ['main'], reason: 'a branch as an example' },
  { file: 'src/views/share/EmbedPage.tsx', texts: ['AlignMerge Studio'], reason: properName },
  {
    file: 'src/views/app/WebGpuHelp.tsx',
    texts: ['Chrome, Edge', 'Firefox', 'Safari'],
    reason: properName,
  },
  {
    file: 'src/views/streamed/MergeSettings.tsx',
    texts: ['GGUF F16', 'GGUF Q8_0', 'GGUF Q4_0'],
    reason: properName,
  },
  { file: 'src/views/subspace/ModuleMap.tsx', texts: ['gate, up'], reason: 'a tensor’s name' },
  { file: 'src/views/recipe/MethodField.tsx', texts: ['task vectors'], reason: 'the id of a group' },
  { file: 'src/views/error/PageBoundary.tsx', texts: ['nothing was thrown', 'The page'], reason: fault },
  { file: 'src/views/error/PanelBoundary.tsx', texts: ['nothing was thrown'], reason: fault },
  { file: 'src/views/site/LicenceList.tsx', texts: ['licences.json:'], reason: 'a file and its status' },
  {
    file: 'src/views/share/pictureOf.ts',
    texts: [
      'button, input, select, textarea, [popover], [role=slider], [role=toolbar], .visually-hidden, [hidden], summary',
    ],
    reason: 'a selector',
  },
  { file: 'src/state/share/share.ts', texts: ['<iframe src="'], reason: 'HTML to be pasted' },
  { file: 'src/state/engine.ts', texts: ['Stopped by the user'], reason: 'a cancel, which is never shown' },
]

/** Media queries, colours, selectors, addresses of data. */
const codeText = /^(\((min|max|prefers|forced)-|color-mix\(|[.:#[]|data:)/

/** A piece of a template: words that something is put beside. */
const hasLooseWords = (piece: string): boolean =>
  hasWord(piece) && (/\s[A-Za-z]{2,}|[A-Za-z]{2,}[\s:,]/.test(piece) || /^[A-Z][a-z]{2,}/.test(piece))

/** A whole constant: two words, or one with a capital. */
const isText = (text: string): boolean =>
  hasWord(text) &&
  !codeText.test(text) &&
  (/[A-Za-z]{2,}[,;:.’]? [A-Za-z(]/.test(text) || /^[A-Z][a-z]{2,}/.test(text))

const quasisOf = (node: Node): string[] =>
  (node.quasis as { value: { cooked: string } }[]).map(({ value }) => value.cooked)

interface Found {
  start: number
  text: string
}

/** Every text that an expression may give: both sides of a choice, all pieces of a template. */
function shownBy(node: unknown): Found[] {
  if (!isNode(node)) return []
  const { start } = node
  switch (node.type) {
    case 'Literal':
      return typeof node.value === 'string' ? [{ start, text: node.value }] : []
    case 'TemplateLiteral':
      return [
        ...quasisOf(node).map((text) => ({ start, text })),
        ...(node.expressions as Node[]).flatMap(shownBy),
      ]
    case 'ConditionalExpression':
      return [...shownBy(node.consequent), ...shownBy(node.alternate)]
    case 'LogicalExpression':
      return [...shownBy(node.left), ...shownBy(node.right)]
    case 'BinaryExpression':
      return node.operator === '+' ? [...shownBy(node.left), ...shownBy(node.right)] : []
    case 'JSXExpressionContainer':
    case 'ParenthesizedExpression':
      return shownBy(node.expression)
    default:
      return []
  }
}

/** What is no value at all, or the value of nothing that is shown. */
function isCode(node: Node, parent: Node | undefined): boolean {
  if (/^(Import|Export)/.test(node.type) && node.source) return true
  if (/^TS/.test(node.type)) return !/^TS(As|Satisfies|NonNull)/.test(node.type)
  if (node.type === 'JSXAttribute') return codeAttributes.test(nameOf(node.name))
  if (!parent) return false
  if (parent.type === 'Property' || parent.type === 'PropertyDefinition') return parent.key === node
  if (parent.type === 'SwitchCase') return parent.test === node
  if (parent.type === 'MemberExpression') return parent.property === node
  return parent.type === 'BinaryExpression' && /^[=!]=/.test(String(parent.operator))
}

function nameOf(node: unknown): string {
  if (!isNode(node)) return ''
  return node.type === 'JSXNamespacedName'
    ? `${nameOf(node.namespace)}:${nameOf(node.name)}`
    : String(node.name)
}

/** Texts of a parsed file that bypass the catalogue, each with its offset. */
export function bareTextsOf(program: Node): Found[] {
  const found = new Map<number, string>()
  const note = (texts: Found[], isBare: (text: string) => boolean) => {
    for (const { start, text } of texts)
      if (!found.has(start) && isBare(text.replace(signs, ''))) found.set(start, text.trim())
  }
  const visit = (node: Node, parent: Node | undefined): void => {
    if (isCode(node, parent)) return
    if (node.type === 'CallExpression' && isNode(node.callee) && node.callee.type === 'Identifier') {
      const texts = { t: 1, plural: 3 }[String(node.callee.name)] ?? 0
      for (const given of (node.arguments as Node[]).slice(texts)) visit(given, node)
      return
    }
    if (node.type === 'Property' && isNode(node.key)) {
      // A whole text there is a key of the catalogue.
      const isWhole = isNode(node.value) && node.value.type === 'Literal'
      if (isWhole && textProperties.has(String(node.key.name))) return
      if (node.key.name === 'id' || node.key.name === 'key') return
    }
    const { start } = node
    if (node.type === 'JSXText') note([{ start, text: String(node.value) }], hasWord)
    if (node.type === 'JSXAttribute' && textAttributes.has(nameOf(node.name)))
      note(shownBy(node.value), hasWord)
    if (node.type === 'JSXExpressionContainer' && /^JSX(Element|Fragment)$/.test(parent?.type ?? ''))
      note(shownBy(node), hasWord)
    if (node.type === 'Literal') note(shownBy(node), isText)
    if (node.type === 'TemplateLiteral' && !codeText.test(quasisOf(node)[0]!))
      note(
        quasisOf(node).map((text) => ({ start, text })),
        hasLooseWords,
      )
    for (const value of Object.values(node)) {
      if (Array.isArray(value)) for (const entry of value.filter(isNode)) visit(entry, node)
      else if (isNode(value)) visit(value, node)
    }
  }
  visit(program, undefined)
  return [...found].map(([start, text]) => ({ start, text }))
}
