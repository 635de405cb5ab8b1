// The help against itself and against the studio: nothing is named that is not there, every link opens.

import { describe, expect, it } from 'vitest'
import { decodeLink, encodeLink } from '../share/codec.ts'
import { findMethod, methodDeclarations } from '../share/methods.ts'
import { classLink, exerciseLink } from '../views/learn/exerciseLink.ts'
import {
  exercises,
  formulas,
  glossary,
  lessons,
  mathText,
  measures,
  methodNotes,
  pictures,
  symbolEntry,
  symbols,
  symbolsOf,
  targets,
  tour,
  tourSteps,
  workedLine,
} from './index.ts'
import { mathElements } from './math.ts'
import type { SymbolId } from './symbols.ts'

const termIds = glossary.map(({ id }) => id)
const formulaRows = Object.entries(formulas)

/** Every text of a value, however deep. */
function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(textsOf)
}

const prose = textsOf([glossary, measures, methodNotes, tour, exercises])

describe('formulas', () => {
  it.each(formulaRows)('%s: every symbol says what it is', (_, { tree }) => {
    const found = symbolsOf(tree)
    expect(found.length).toBeGreaterThan(0)
    for (const id of found) {
      const { name, meaning, unit, origin, term } = symbolEntry(id)
      for (const text of [name, meaning, unit, origin]) expect(text.trim(), id).not.toBe('')
      if (term) expect(termIds, id).toContain(term)
    }
  })

  it('use every symbol that is explained', () => {
    const used = new Set<string>(formulaRows.flatMap(([, { tree }]) => symbolsOf(tree)))
    expect(Object.keys(symbols).filter((id) => !used.has(id))).toEqual([])
  })

  it.each(formulaRows)('%s is well-formed MathML', (_, { tree }) => {
    const open: string[] = []
    for (const [, closing, tag] of mathText(tree).matchAll(/<(\/?)([a-z]+)[^>]*>/g)) {
      if (!closing) open.push(tag)
      else expect(open.pop()).toBe(tag)
    }
    expect(open).toEqual([])
  })

  it('show values in place of symbols, once all are known', () => {
    expect(workedLine('aqi', { S: '2', AQI: '50' })).toBeUndefined()
    const line = workedLine('aqi', { S: '2', Sanchor: '3', AQI: '40' })!
    const text = JSON.stringify(mathElements(line, { S: '2', Sanchor: '3', AQI: '40' }))
    expect([...text.matchAll(/"tag":"mn","text":"(\d+)"/g)].map(([, n]) => n)).toEqual([
      '100',
      '2',
      '2',
      '3',
      '40',
    ])
    expect(workedLine('drift', { D: '0.1' })).toBeDefined()
  })

  it('mark each symbol in its MathML', () => {
    const marks = (tree: Parameters<typeof mathElements>[0]): SymbolId[] => {
      const visit = (element: ReturnType<typeof mathElements>): SymbolId[] => [
        ...(element.symbol ? [element.symbol] : []),
        ...(element.children ?? []).flatMap(visit),
      ]
      return visit(mathElements(tree))
    }
    for (const [id, { tree }] of formulaRows) expect([...new Set(marks(tree))], id).toEqual(symbolsOf(tree))
  })
})

describe('glossary', () => {
  it('names each entry once', () => {
    expect(new Set(termIds).size).toBe(termIds.length)
  })

  it.each(glossary.map((entry) => [entry.id, entry] as const))(
    '%s leads to entries that are there',
    (id, entry) => {
      for (const other of entry.related ?? []) {
        expect(termIds).toContain(other)
        expect(other).not.toBe(id)
      }
      if (entry.where) expect(Object.keys(targets)).toContain(entry.where)
      if (entry.formula) expect(Object.keys(formulas)).toContain(entry.formula)
    },
  )

  it('is where every link of every text leads', () => {
    const links = prose.flatMap((text) => [...text.matchAll(/\]\(#([^)]*)\)/g)].map(([, id]) => id))
    expect(links.length).toBeGreaterThan(20)
    expect(links.filter((id) => !termIds.includes(id))).toEqual([])
  })
})

describe('method cards', () => {
  const ids = methodDeclarations.map(({ id }) => id)
  it('have a note and a picture for every method', () => {
    expect(methodNotes.map(({ id }) => id).sort()).toEqual(ids)
    expect(pictures.map(({ id }) => id)).toEqual(ids)
  })
  it('draw finite points and at least one merge', () => {
    for (const { id, merged, path, experts } of pictures) {
      expect(merged.length, id).toBeGreaterThan(0)
      for (const { x, y } of [...merged, ...experts, ...(path?.points ?? [])])
        expect(Number.isFinite(x) && Number.isFinite(y), id).toBe(true)
    }
  })
})

describe('tour', () => {
  const quantities = 'refusal|complied|overRefusal|ruined|attack|sort|reverse|aqi|drift'
  const known = new RegExp(
    `^((${quantities})_(anchor|first|second|average|merge)|toy(RefusalAnchor|RefusalAverage|RefusalMerge|Share))$`,
  )

  it('has six chapters and tells its steps apart', () => {
    expect(tour).toHaveLength(6)
    expect(new Set(tourSteps.map(({ id }) => id)).size).toBe(tourSteps.length)
  })

  it.each(tourSteps.map((step) => [step.id, step] as const))('%s names only what is there', (_, step) => {
    expect(Object.keys(targets)).toContain(step.target)
    expect(targets[step.target].page).toBe(step.page)
    for (const setting of [step.set, ...(step.task ? [step.task.doIt] : [])])
      if (setting.lesson) expect(Object.keys(lessons)).toContain(setting.lesson)
    for (const text of textsOf(step)) {
      for (const [, name] of text.matchAll(/\{(\w+)\}/g)) expect(name).toMatch(known)
    }
    for (const check of step.task?.checks ?? []) {
      if (check.kind !== 'parameter') continue
      const declared = findMethod('alignmerge')!.parameters.find(({ id }) => id === check.id)
      expect(
        declared?.kind === 'choice' ? declared.options.map(({ value }) => value) : [check.value],
      ).toContain(check.value)
      expect(declared).toBeDefined()
    }
  })

  it('quotes no number of its own where the page measures one', () => {
    // Percentages in the tour's texts come from the page; the one exception is said to be a share of steps.
    const typed = textsOf(tour).filter((text) => /\d\s?%/.test(text) && !text.includes('steps are 2 to 3 %'))
    expect(typed).toEqual([])
  })
})

describe('exercises', () => {
  const opens = exercises.flatMap(({ id, opens }) =>
    opens.map((open) => [`${id}: ${open.label}`, open] as const),
  )

  it('are five', () => {
    expect(exercises).toHaveLength(5)
  })

  it.each(opens)('%s opens as a link that needs no mending', (_, open) => {
    for (const link of [exerciseLink(open), classLink(open)]) {
      const decoded = decodeLink(encodeLink(link))
      expect(decoded.kind).toBe('link')
      if (decoded.kind !== 'link') return
      expect(decoded.adjusted).toEqual([])
      expect(decoded.state.experiment).toEqual(lessons[open.lesson])
      expect(decoded.state.view).toEqual(link.view)
    }
  })
})
