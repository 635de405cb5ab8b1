// Every method that the page has, as a recipe that the command line reads and plans on the same models.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runHere } from '../cli/alignmerge/testCli.ts'
import { readRecipeYaml } from '../core/merge/recipe/yaml.ts'
import { placeholderExperiment } from '../views/app/placeholderExperiment.ts'
import { comparedExperiment, comparedMethods } from './comparison.ts'
import { bibtex, modelCard } from './modelCard.ts'
import { recipeOf, recipeText } from './recipeText.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'recipe-'))
})
afterAll(() => rm(folder, { recursive: true }))

const references = {
  aligned: { kind: 'built-in', id: 'safety' },
  unaligned: { kind: 'built-in', id: 'uncensored' },
} as const
const experiment = {
  ...placeholderExperiment,
  anchor: { kind: 'built-in' as const, id: 'anchor' },
  references,
  experts: ['task-sort', 'task-reverse'].map((id, k) => ({
    origin: { kind: 'built-in' as const, id },
    weight: [0.75, 0.25][k]!,
  })),
}
const rows = comparedMethods(2).map((row) => ({ id: row.id, asked: comparedExperiment(experiment, row) }))

describe('a recipe of the page', () => {
  it.each(rows)('$id is planned by the command that stands beside it', async ({ id, asked }) => {
    const { yaml, command } = recipeText(asked)
    const path = join(folder, `${id.replace(/\W/g, '-')}.yml`)
    await writeFile(path, yaml)
    const words = command.split(' ')
    expect(words.slice(0, 4)).toEqual(['npx', 'alignmerge', 'merge', 'recipe.yml'])
    const args = words.slice(2).map((word) => (word === 'recipe.yml' ? path : word))
    const { code, stderr, stdout } = await runHere([...args, '--dry-run'])
    expect(stderr + stdout).not.toMatch(/error|unknown|expected/i)
    expect(code).toBe(0)
    // What was written is what is read.
    expect(readRecipeYaml(yaml).recipe).toEqual(recipeOf(asked))
  })

  it('is mergekit’s where mergekit has the method, and says so where it has not', () => {
    const of = (method: string, parameters = {}) => recipeText({ ...experiment, method, parameters })
    expect(of('ties', { density: 0.3 })).toMatchObject({ isMergekit: true })
    expect(of('ties').yaml).not.toMatch(/^#/)
    expect(of('ties').yaml).not.toContain('variant')
    expect(of('ties', { variant: 'paper' })).toMatchObject({ isMergekit: false })
    expect(of('alignmerge')).toMatchObject({ isMergekit: false })
    expect(of('alignmerge').yaml).toMatch(/^# mergekit does not know the method alignmerge/)
    expect(recipeText({ ...experiment, method: 'linear', antidote: 1 })).toMatchObject({
      isMergekit: false,
      notes: expect.arrayContaining([expect.stringContaining('antidote')]),
    })
  })

  it('names models at their commit, and says what it cannot reach', () => {
    const revision = 'ab'.repeat(20)
    const { yaml, notes } = recipeText({
      ...experiment,
      anchor: { kind: 'hub', repo: 'owner/name', revision },
      experts: [
        { origin: { kind: 'url', url: 'https://models.example/x/' }, weight: 0.5 },
        { origin: { kind: 'files', name: 'mine', digest: 'ab'.repeat(32) }, weight: 0.5 },
      ],
    })
    expect(yaml).toContain(`owner/name@${revision}`)
    expect(notes.some((note) => note.includes('downloaded'))).toBe(true)
    expect(notes.some((note) => note.includes('this machine'))).toBe(true)
  })
})

describe('card and citation', () => {
  it('say what was merged, and no name can break out of its table', () => {
    const card = modelCard({
      ...experiment,
      anchor: 'anchor\n# harmless',
      experts: [
        { name: 'a | b', weight: 3 },
        { name: '<script>', weight: 1 },
      ],
    })
    expect(card).toContain('| a   b | 0.7500 |')
    expect(card).not.toContain('<script>')
    expect(card.match(/^# /gm)).toHaveLength(1)
    expect(bibtex).toContain('2512.16245')
  })
})
